extension History {
  /// Years of which there is an event or two: what players guess, and where imports and scraping have something to add to.
  static let otherYears = """
    -753
    Romulus founds Rome, as legend has it
    -490
    Athenians beat the Persians at Marathon
    -480
    Three hundred Spartans fall at Thermopylae
    -399
    Socrates drinks hemlock
    -331
    Alexander beats Darius at Gaugamela
    -221
    Qin Shi Huang unites China
    -216
    Hannibal destroys a Roman army at Cannae
    -146
    Rome destroys Carthage
    -44
    Julius Caesar is stabbed on the Ides of March
    -31
    Octavian's fleet beats Antony and Cleopatra at Actium
    9
    German tribes destroy three legions in the Teutoburg Forest
    43
    Claudius sends his legions to conquer Britain
    64
    Rome burns while Nero is emperor
    70
    Titus takes Jerusalem, and the Temple burns
    79
    Vesuvius buries Pompeii and Herculaneum
    122
    Hadrian has a wall begun across Britain
    313
    An edict agreed on at Milan lets Christians worship freely
    325
    Bishops meet at Nicaea
    330
    Constantinople becomes the emperor's city
    410
    Visigoths sack Rome
    451
    Attila is stopped on the Catalaunian Plains
    476
    Odoacer deposes the last emperor of the West
    529
    Justinian's code of laws is issued
    537
    Hagia Sophia is finished
    622
    Muhammad goes from Mecca to Medina
    711
    Tariq crosses the strait that bears his name
    732
    Charles Martel beats an army near Tours
    762
    Al-Mansur founds Baghdad
    793
    Norsemen raid Lindisfarne
    800
    Charlemagne is crowned emperor on Christmas Day
    843
    Charlemagne's grandsons divide his empire at Verdun
    868
    The Diamond Sutra is printed in China
    871
    Alfred becomes king of Wessex
    955
    Otto beats the Magyars on the Lechfeld
    988
    Vladimir of Kiev is baptised
    1054
    A new star shines by day in Taurus, and Chinese astronomers write it down
    1066
    William of Normandy wins at Hastings
    1077
    A German king waits in the snow at Canossa
    1086
    Royal clerks survey England for the Domesday Book
    1088
    Students of law gather in Bologna, where a university claims its beginning
    1095
    Pope Urban II calls for a crusade at Clermont
    1099
    Crusaders take Jerusalem
    1170
    Thomas Becket is murdered in his cathedral
    1187
    Saladin takes Jerusalem
    1204
    Crusaders sack Constantinople
    1206
    Temüjin is proclaimed Genghis Khan
    1215
    King John seals Magna Carta at Runnymede
    1258
    Mongols destroy Baghdad
    1271
    Marco Polo leaves Venice for the East
    1279
    Kublai Khan's fleet ends the Song dynasty
    1291
    Acre falls, the crusaders' last city
    1314
    Robert the Bruce wins at Bannockburn
    1325
    The Mexica found Tenochtitlan on an island, by tradition
    1337
    The Hundred Years' War begins
    1346
    English archers win at Crécy
    1347
    The Black Death comes to Sicily by ship
    1368
    The Ming dynasty begins
    1381
    Wat Tyler leads peasants to London
    1386
    Heidelberg's university is founded
    1402
    Timur captures the sultan Bayezid at Ankara
    1410
    The Teutonic Knights are beaten at Grunwald
    1415
    Henry V wins at Agincourt
    1420
    Work on Brunelleschi's dome begins in Florence
    1431
    Joan of Arc is burnt at Rouen
    1453
    Ottoman cannons open the walls of Constantinople
    1455
    Gutenberg's Bible is finished in Mainz
    1469
    Ferdinand of Aragon marries Isabella of Castile
    1485
    Richard III falls at Bosworth
    1488
    Bartolomeu Dias rounds the Cape of Good Hope
    1492
    Columbus lands in the Bahamas
    Granada surrenders to Ferdinand and Isabella
    1494
    Spain and Portugal divide the world at Tordesillas
    1498
    Vasco da Gama reaches India by sea
    1503
    Leonardo da Vinci begins the Mona Lisa
    1504
    Michelangelo's David is set up in Florence
    1508
    Michelangelo begins to paint the ceiling of the Sistine Chapel
    1517
    Martin Luther writes ninety-five theses
    1519
    Magellan's fleet sets sail to go around the world
    1521
    Tenochtitlan falls to Cortés
    1526
    Babur wins at Panipat and founds the Mughal empire
    1529
    Suleiman besieges Vienna in vain
    1532
    Pizarro captures Atahualpa at Cajamarca
    1534
    Henry VIII becomes head of the Church of England
    1543
    Copernicus puts the sun at the centre
    1547
    Ivan the Terrible is crowned tsar
    1558
    Elizabeth I becomes queen of England
    1564
    Shakespeare is born in Stratford
    1571
    A league of Christian states wins at Lepanto
    1572
    Protestants are massacred in Paris on St Bartholomew's Day
    1582
    Pope Gregory XIII drops ten days from the calendar
    1588
    The Spanish Armada fails to land in England
    1600
    Giordano Bruno is burnt in Rome
    1603
    Tokugawa Ieyasu becomes shogun
    1605
    Guy Fawkes is found under Parliament with gunpowder
    Cervantes publishes the first part of Don Quixote
    1607
    Settlers found Jamestown in Virginia
    1609
    Kepler describes the planets' paths as ellipses
    1610
    Galileo sees moons beside Jupiter
    1616
    Shakespeare dies
    1618
    Two regents are thrown from a window in Prague
    1620
    The Mayflower reaches Cape Cod
    1628
    The Vasa sinks in Stockholm's harbour
    1633
    The Inquisition makes Galileo recant
    1636
    Harvard College is founded
    1642
    Abel Tasman sights New Zealand
    1648
    The Peace of Westphalia ends thirty years of war
    1649
    Charles I of England is beheaded
    1653
    Work on the Taj Mahal is finished
    1660
    The monarchy is restored in England
    1665
    The Great Plague strikes London
    1666
    Fire destroys much of the City of London
    1682
    The court of Louis XIV moves to Versailles
    1683
    John Sobieski relieves Vienna
    1687
    Newton publishes the Principia
    1692
    Women are hanged as witches in Salem
    1703
    Peter the Great founds St Petersburg
    1707
    England and Scotland unite
    1709
    Peter the Great beats Charles XII at Poltava
    1719
    Daniel Defoe publishes Robinson Crusoe
    1721
    Bach sends six concertos to the margrave of Brandenburg
    1741
    Handel composes Messiah within weeks
    1752
    Benjamin Franklin flies a kite in a thunderstorm, it is said
    1755
    An earthquake destroys Lisbon
    1756
    The Seven Years' War begins, and Mozart is born in Salzburg
    1759
    Wolfe and Montcalm fall before Quebec
    1769
    James Watt patents a separate condenser
    1770
    James Cook anchors in Botany Bay
    1773
    Tea is thrown into Boston's harbour
    1781
    Cornwallis surrenders at Yorktown
    William Herschel discovers Uranus
    1783
    The Montgolfiers' balloon carries men over Paris
    1787
    Delegates in Philadelphia write a constitution
    1788
    The First Fleet brings convicts to Australia
    1791
    Mozart dies, and The Magic Flute outlives him
    1793
    Louis XVI is guillotined
    1796
    Edward Jenner vaccinates a boy with cowpox
    1799
    The Rosetta Stone is found
    1803
    The United States buy Louisiana
    1804
    Napoleon crowns himself emperor
    1805
    Nelson wins at Trafalgar and dies
    1807
    Britain's parliament abolishes the slave trade
    1812
    Napoleon retreats from Moscow
    1818
    Mary Shelley publishes Frankenstein
    1819
    Simón Bolívar crosses the Andes and wins at Boyacá
    1821
    Greeks rise against the Ottomans
    1822
    Champollion reads hieroglyphs
    1824
    Beethoven's Ninth Symphony is first played in Vienna
    1825
    The Stockton and Darlington Railway opens
    1829
    Stephenson's Rocket wins the trials at Rainhill
    1830
    Paris rises for three days in July, and Belgium becomes independent
    1831
    The Beagle sails with Charles Darwin on board
    1833
    Slavery is abolished in most of the British Empire
    1837
    Victoria becomes queen
    1839
    Daguerre's photographs are shown to the world
    1840
    The Penny Black is the first postage stamp
    1844
    Samuel Morse asks by telegraph what God has wrought
    1845
    Potato blight reaches Ireland
    1846
    Neptune is found where Le Verrier had said
    1851
    The Great Exhibition opens in the Crystal Palace
    1853
    Commodore Perry's ships enter the bay of Edo
    1854
    The Light Brigade charges at Balaclava
    1857
    Sepoys rise at Meerut
    1863
    Lincoln speaks for two minutes at Gettysburg
    London's Underground begins to run
    1866
    Prussia beats Austria at Königgrätz
    1867
    The United States buy Alaska from Russia
    1868
    The Meiji emperor's restoration begins
    1870
    Napoleon III is captured at Sedan
    1871
    Germany's princes proclaim an emperor at Versailles
    1874
    Painters who are mocked as impressionists show their works in Paris
    1879
    Edison's lamp burns for hours
    1883
    Krakatoa erupts
    1884
    Delegates agree on a meridian through Greenwich
    1885
    Karl Benz builds a car with three wheels
    1886
    The Statue of Liberty is dedicated
    1888
    Jack the Ripper kills in Whitechapel
    1893
    New Zealand is the first country whose women may vote
    1895
    The Lumière brothers show films in Paris
    Wilhelm Röntgen discovers X-rays
    1898
    The Maine explodes in Havana's harbour
    1900
    Max Planck introduces the quantum
    1906
    An earthquake and fire destroy San Francisco
    1909
    Louis Blériot flies across the Channel
    1910
    Union of the colonies makes South Africa a dominion
    1913
    The Rite of Spring causes a riot in Paris
    1921
    Insulin is isolated in Toronto
    1925
    A teacher is tried in Tennessee for teaching evolution
    1926
    Robert Goddard launches a rocket with liquid fuel
    1932
    James Chadwick finds the neutron
    1934
    Bonnie and Clyde are shot in Louisiana
    1935
    Persia asks to be called Iran
    1943
    Jews of Warsaw's ghetto fight the SS
    1946
    Churchill speaks of an iron curtain
    1950
    North Korean troops cross the thirty-eighth parallel
    1951
    Six countries pool coal and steel by a treaty in Paris
    1952
    Smog kills thousands in London
    1958
    Pelé, aged seventeen, scores twice in a World Cup's final
    1960
    The bathyscaphe Trieste reaches the bottom of the Challenger Deep
    1965
    Alexei Leonov floats outside of his spacecraft
    1970
    Three astronauts come home in a crippled Apollo 13
    1976
    Nadia Comăneci is given a perfect ten
    1978
    Louise Brown is born, the first baby conceived outside of the body
    1982
    Argentina and Britain fight for the Falklands
    1983
    A Soviet officer takes a missile alarm for an error
    1987
    Stock markets crash on a Monday in October
    1988
    A bomb destroys a jumbo jet above Lockerbie
    1992
    The Maastricht treaty is signed
    1993
    Czechoslovakia becomes two countries
    1995
    Yitzhak Rabin is shot in Tel Aviv
    1996
    Dolly the sheep is born
    1998
    An agreement is reached in Belfast on Good Friday
    2000
    The first crew moves into the International Space Station
    2002
    Euro coins and notes replace twelve currencies
    2003
    The human genome is read, as far as it goes
    2005
    Hurricane Katrina breaks New Orleans' levees
    2006
    Pluto is called a dwarf planet
    2007
    Apple presents the iPhone
    2009
    Captain Sullenberger lands on the Hudson
    2013
    Edward Snowden hands documents to journalists
    2014
    A probe lands on a comet
    2017
    An eclipse crosses the United States from coast to coast
    2018
    Twelve boys are saved from a cave in Thailand
    2019
    The first picture of a black hole is shown
    2021
    The James Webb telescope is launched
    2022
    Russia invades Ukraine
    """
}
