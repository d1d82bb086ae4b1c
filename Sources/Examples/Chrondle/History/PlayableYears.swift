extension History {
  /// Years with six events or more, enough for a puzzle each.
  static let playableYears = """
    1776
    Thirteen colonies declare that they are independent of Great Britain
    Adam Smith publishes The Wealth of Nations
    Washington crosses the icy Delaware and surprises the Hessians at Trenton
    Edward Gibbon publishes the first volume of his history of Rome's decline
    James Cook sails from Plymouth on his third and last voyage
    Thomas Paine's pamphlet Common Sense argues against being ruled by a king
    1789
    A crowd in Paris storms the Bastille
    George Washington takes the oath as first president of the United States
    Sailors of HMS Bounty mutiny and set Captain Bligh adrift
    France's National Assembly declares the rights of man and of the citizen
    Lavoisier's textbook of chemistry lists the elements
    Women of Paris march to Versailles and bring the king back
    1815
    Napoleon is beaten at Waterloo
    Mount Tambora erupts, the largest eruption in recorded history
    The Congress of Vienna finishes redrawing the map of Europe
    Andrew Jackson defends New Orleans after peace has been signed in Ghent
    Napoleon escapes from Elba and rules for a hundred days
    Humphry Davy makes a lamp that is safe in mines
    1848
    Marx and Engels publish the Communist Manifesto
    Gold is found at Sutter's mill in California
    The women's rights convention meets at Seneca Falls
    Louis-Philippe, king of the French, abdicates and flees to England
    Mexico cedes its north to the United States by the treaty of Guadalupe Hidalgo
    Metternich, chancellor of Austria, resigns as Vienna revolts
    1859
    Charles Darwin publishes On the Origin of Species
    Edwin Drake strikes oil in Pennsylvania
    John Brown raids the arsenal at Harpers Ferry
    Work on the Suez Canal begins
    Carrington sees a solar flare, and telegraphs spark from the storm that follows
    The clock tower at Westminster, called Big Ben after its bell, begins to keep time
    1861
    Confederate guns fire on Fort Sumter, and a civil war begins
    Alexander II frees Russia's serfs
    Victor Emmanuel II is proclaimed king of a united Italy
    Lincoln becomes president of the United States
    The telegraph crosses North America, and the Pony Express ends
    James Clerk Maxwell shows a colour photograph of a ribbon
    1865
    Lee surrenders to Grant at Appomattox
    Abraham Lincoln is shot at Ford's Theatre
    The Thirteenth Amendment abolishes slavery in the United States
    Gregor Mendel reads his paper on peas in Brno
    Lewis Carroll publishes Alice's Adventures in Wonderland
    Whymper's party is the first on the Matterhorn, and four fall to their death
    1869
    The Suez Canal opens
    A golden spike joins the rails across North America
    Dmitri Mendeleev publishes his periodic table
    The clipper Cutty Sark is launched on the Clyde
    Wyoming Territory gives women the vote
    Gandhi is born in Porbandar
    1876
    Alexander Graham Bell speaks to Watson by telephone
    Sitting Bull's warriors destroy Custer's men at the Little Bighorn
    Wagner's Ring is heard whole for the first time, at Bayreuth
    Mark Twain publishes The Adventures of Tom Sawyer
    Philadelphia holds a world's fair for the centenary of the United States
    Otto builds a four-stroke engine that works
    1889
    The Eiffel Tower opens for the world's fair in Paris
    Brazil becomes a republic
    Vincent van Gogh paints The Starry Night
    Nellie Bly sets out to go around the world in less than eighty days
    A dam fails above Johnstown, and the flood kills more than two thousand
    Settlers race for land in Oklahoma at noon
    1896
    Athens holds the first modern Olympic Games
    Henri Becquerel finds that uranium salts fog a photographic plate
    Ethiopia defeats Italy at Adwa
    The Supreme Court allows separate but equal in Plessy v. Ferguson
    Gold is found in the Klondike
    Puccini's La Bohème is first sung in Turin
    1901
    Queen Victoria dies after more than sixty-three years on the throne
    Marconi hears a signal from across the Atlantic
    The first Nobel Prizes are given
    President McKinley is shot in Buffalo
    Australia's colonies unite as a commonwealth
    Oil gushes at Spindletop in Texas
    1903
    The Wright brothers fly at Kitty Hawk
    Maurice Garin wins the first Tour de France
    Marie Curie is the first woman who is given a Nobel Prize
    Henry Ford founds his motor company
    Panama secedes from Colombia
    Boston wins the first World Series of baseball
    1905
    Albert Einstein explains the photoelectric effect and publishes special relativity
    Troops fire at a procession in St Petersburg on Bloody Sunday
    Japan destroys Russia's fleet at Tsushima
    The crew of the Potemkin mutinies
    Norway parts from Sweden
    Las Vegas is founded by an auction of lots beside the railway
    1908
    Ford begins to sell the Model T
    Something explodes above Tunguska in Siberia and flattens the forest
    London holds its first Olympic Games
    An earthquake destroys Messina
    The Young Turks restore the Ottoman constitution
    Jack Johnson becomes heavyweight champion of the world
    1911
    Roald Amundsen is the first at the South Pole
    The Mona Lisa is stolen from the Louvre
    Fire kills 146 workers of the Triangle Shirtwaist factory
    Ernest Rutherford describes the atom's nucleus
    Hiram Bingham is led to Machu Picchu
    The Wuchang uprising begins the end of the Qing dynasty
    1912
    The Titanic sinks on her first voyage
    The last emperor of China abdicates
    Robert Scott and his companions die on the way back from the South Pole
    New Mexico and Arizona become states
    Alfred Wegener proposes that continents drift
    Jim Thorpe wins pentathlon and decathlon in Stockholm
    1914
    Archduke Franz Ferdinand is shot in Sarajevo
    The Panama Canal opens
    German troops march into Belgium
    Soldiers leave their trenches for a truce at Christmas
    Russian armies are beaten at Tannenberg
    Charlie Chaplin first appears as the Tramp
    1915
    A submarine sinks the Lusitania off Ireland
    Allied troops land at Gallipoli
    Chlorine gas drifts over the trenches at Ypres
    Einstein presents the equations of general relativity in Berlin
    The Ottoman government begins to deport and kill the Armenians
    Ice crushes Shackleton's ship Endurance
    1916
    The battle of the Somme begins, and so does that of Verdun
    Irish rebels seize Dublin's post office at Easter
    Fleets of Britain and Germany meet off Jutland
    Rasputin is murdered in Petrograd
    Dada is born at the Cabaret Voltaire in Zurich
    Tanks are used in battle for the first time
    1917
    The Bolsheviks take the Winter Palace
    Tsar Nicholas II abdicates
    The United States declares war on Germany
    Lord Balfour's letter promises a national home for the Jewish people
    Two ships collide at Halifax, and munitions destroy the town
    Mata Hari is shot as a spy
    1918
    An armistice ends the fighting on the Western Front
    The Red Baron is shot down and killed
    Influenza spreads around the world and kills tens of millions
    The tsar and his family are shot in Yekaterinburg
    Kaiser Wilhelm II abdicates
    British women over thirty are given the vote
    1919
    The treaty of Versailles is signed in the Hall of Mirrors
    Alcock and Brown fly across the Atlantic without a stop
    An eclipse shows that the sun bends light as Einstein had said
    Walter Gropius founds the Bauhaus in Weimar
    Troops fire at a crowd in a garden in Amritsar
    A wave of molasses floods streets of Boston
    1920
    Prohibition begins in the United States
    The Nineteenth Amendment gives American women the vote
    The League of Nations meets for the first time
    KDKA in Pittsburgh broadcasts the results of an election
    Joan of Arc is made a saint
    Poland turns back the Red Army before Warsaw
    1922
    Howard Carter opens the tomb of Tutankhamun
    James Joyce's Ulysses is published in Paris
    Mussolini's Blackshirts march on Rome
    The Soviet Union is founded
    The British Broadcasting Company begins its programmes
    The Irish Free State comes into being
    1923
    An earthquake and fire destroy Tokyo and Yokohama
    Hitler's putsch fails in a beer hall in Munich
    Turkey becomes a republic, with Atatürk as president
    Germans pay billions of marks for bread
    Letters that spell Hollywoodland are put up above Los Angeles
    Walt and Roy Disney found their studio
    1924
    Lenin dies
    Chamonix holds the first Winter Olympic Games
    Edwin Hubble announces that Andromeda is a galaxy of its own
    Gershwin plays Rhapsody in Blue for the first time
    Mallory and Irvine vanish near the top of Everest
    Native Americans are declared citizens of the United States
    1927
    Charles Lindbergh flies alone from New York to Paris
    The Jazz Singer brings sound to the cinema
    Werner Heisenberg states the uncertainty principle
    Babe Ruth hits sixty home runs in a season
    Fritz Lang's Metropolis is first shown
    The Mississippi breaks its levees, and hundreds of thousands lose their homes
    1928
    Alexander Fleming notices that a mould kills bacteria
    Mickey Mouse appears in Steamboat Willie
    Fifteen nations renounce war by the Kellogg-Briand pact
    Women run on the track at the Olympic Games, in Amsterdam, for the first time
    Ravel's Boléro is first danced in Paris
    British women may vote at the same age as men
    1929
    The New York Stock Exchange crashes in October
    The first Academy Awards are presented
    The Museum of Modern Art opens in New York
    The Vatican becomes a state of its own
    Seven gangsters are shot on St Valentine's Day in Chicago
    The airship Graf Zeppelin flies around the world
    1930
    Clyde Tombaugh discovers Pluto
    Gandhi walks to the sea to make salt
    Uruguay wins the first football World Cup at home
    Amy Johnson flies alone from England to Australia
    Haile Selassie is crowned emperor of Ethiopia
    The Chrysler Building is finished, and is the tallest for eleven months
    1931
    The Empire State Building opens
    Al Capone is convicted of not paying taxes
    Spain becomes a republic for the second time
    The Star-Spangled Banner becomes the national anthem of the United States
    Japan's army occupies Manchuria after a blast at Mukden
    The statue of Christ above Rio de Janeiro is finished
    1933
    Adolf Hitler becomes chancellor of Germany
    The Reichstag burns
    Franklin Roosevelt says that there is nothing to fear but fear itself
    Prohibition ends in the United States
    King Kong climbs a skyscraper in the cinema
    Wiley Post is the first to fly around the world alone
    1936
    Jesse Owens wins four gold medals in Berlin
    Edward VIII gives up the throne for Wallis Simpson
    Civil war breaks out in Spain
    German troops enter the Rhineland
    Crystal Palace burns down in London
    The Hoover Dam begins to give power
    1937
    The airship Hindenburg burns at Lakehurst
    The Golden Gate Bridge opens
    Amelia Earhart is lost over the Pacific
    Picasso paints Guernica
    Disney's Snow White is first shown
    Japan and China go to war after shots at the Marco Polo Bridge
    1938
    Austria is annexed by Germany
    Orson Welles frightens listeners with Martians on the radio
    Synagogues burn in Germany in the night of 9 November
    Chamberlain brings home a paper from Munich
    Superman appears in Action Comics
    A coelacanth is found in a fisherman's catch off South Africa
    1939
    Germany invades Poland, and Britain and France declare war
    Hitler and Stalin's ministers sign a pact
    Judy Garland sings Over the Rainbow in The Wizard of Oz
    Einstein signs a letter to Roosevelt about atomic bombs
    Marian Anderson sings at the Lincoln Memorial
    Finland is attacked by the Soviet Union in winter
    1940
    Small boats help to bring an army home from Dunkirk
    Winston Churchill becomes prime minister
    Paris falls to the Germans
    The Royal Air Force wins the Battle of Britain
    Boys find the painted cave of Lascaux
    Leon Trotsky is killed in Mexico
    1941
    Japan attacks Pearl Harbor
    Germany invades the Soviet Union
    The Bismarck is sunk
    Citizen Kane is first shown
    Leningrad is besieged
    Konrad Zuse shows the Z3, a programmable computer
    1942
    The tide in the Pacific turns at Midway
    Enrico Fermi's pile in Chicago sustains a chain reaction
    Montgomery beats Rommel at El Alamein
    The German Sixth Army is encircled in Stalingrad
    Anne Frank and her family go into hiding
    Officials plan the murder of Europe's Jews at a villa by the Wannsee
    1944
    Allied troops land on the beaches of Normandy
    Paris is liberated
    A bomb under a table fails to kill Hitler
    Iceland becomes a republic
    The Bretton Woods conference founds the International Monetary Fund
    Germany attacks through the Ardennes in the Battle of the Bulge
    1945
    Atomic bombs fall on Hiroshima and Nagasaki
    Germany surrenders without conditions
    The United Nations is founded in San Francisco
    Soldiers raise a flag on Iwo Jima
    The Red Army reaches Auschwitz
    George Orwell publishes Animal Farm
    1947
    India and Pakistan become independent
    Chuck Yeager flies faster than sound
    Jackie Robinson plays for the Brooklyn Dodgers
    Thor Heyerdahl crosses the Pacific on the raft Kon-Tiki
    A shepherd finds scrolls in a cave by the Dead Sea
    The transistor is made at Bell Labs
    1948
    Mahatma Gandhi is shot in Delhi
    The state of Israel is proclaimed
    Aircraft begin to bring food and coal to Berlin
    The Universal Declaration of Human Rights is adopted in Paris
    Britain's National Health Service begins
    The National Party wins in South Africa, and apartheid becomes law
    1949
    Mao proclaims the People's Republic of China
    Twelve countries found NATO
    The Soviet Union tests its first atomic bomb
    Two German states are founded
    George Orwell imagines Big Brother in his last novel
    Simone de Beauvoir publishes The Second Sex
    1953
    Hillary and Tenzing stand on the top of Everest
    Watson and Crick describe the double helix
    Elizabeth II is crowned at Westminster
    Stalin dies
    An armistice ends the fighting in Korea
    The North Sea breaks the dikes of Zeeland
    1954
    Roger Bannister runs a mile in less than four minutes
    The Supreme Court rules against separate schools in Brown v. Board of Education
    French forces surrender at Dien Bien Phu
    West Germany beats Hungary in the football World Cup at Bern
    The submarine Nautilus is the first with a nuclear engine
    J. R. R. Tolkien publishes The Fellowship of the Ring
    1955
    Rosa Parks keeps her seat in a bus in Montgomery
    Disneyland opens in Anaheim
    Albert Einstein dies in Princeton
    Jonas Salk's vaccine against polio is declared safe
    A car flies into the crowd at the race of Le Mans
    Eastern countries sign the Warsaw Pact
    1956
    Soviet tanks put down a rising in Budapest
    Nasser takes the Suez Canal for Egypt
    Khrushchev speaks of Stalin's crimes in secret
    Elvis Presley sings Heartbreak Hotel
    Grace Kelly marries the prince of Monaco
    Lugano is the place of the first Eurovision Song Contest
    1957
    Sputnik circles the earth
    Six countries sign the Treaty of Rome
    Ghana becomes independent
    Laika is the first animal in orbit
    Nine black pupils enter Little Rock Central High School under guard
    Leonard Bernstein's West Side Story opens on Broadway
    1959
    Fidel Castro's rebels enter Havana
    Alaska and Hawaii become states
    The Dalai Lama flees from Tibet to India
    Frank Lloyd Wright's Guggenheim Museum opens in New York
    A Soviet probe photographs the far side of the moon
    The Barbie doll is shown at a toy fair
    1961
    Yuri Gagarin is the first man in space
    A wall is built through Berlin
    An invasion fails at the Bay of Pigs
    Kennedy tells Americans to ask what they can do for their country
    Adolf Eichmann is tried in Jerusalem
    Joseph Heller publishes Catch-22
    1962
    Missiles on Cuba bring the world to the brink of nuclear war
    Marilyn Monroe dies in Los Angeles
    Algeria becomes independent of France
    Telstar relays television across the Atlantic
    Rachel Carson publishes Silent Spring
    Bond films begin with Dr. No
    1963
    President Kennedy is shot in Dallas
    Martin Luther King says that he has a dream
    Valentina Tereshkova is the first woman in space
    Robbers stop a mail train in Buckinghamshire
    Doctor Who begins on British television
    The president of the United States says that he is a Berliner
    1964
    The Beatles appear on the Ed Sullivan Show
    Nelson Mandela is sentenced to prison for life
    The Civil Rights Act outlaws discrimination in the United States
    Japan's bullet trains begin to run
    Cassius Clay beats Sonny Liston
    The Verrazzano Bridge opens in New York
    1966
    England wins the football World Cup at Wembley
    Mao starts the Cultural Revolution
    A coal tip buries the school of Aberfan
    The Arno floods Florence
    Star Trek begins on American television
    Luna 9 lands softly on the moon
    1967
    Israel wins a war in six days
    Christiaan Barnard transplants a human heart
    The Beatles publish Sgt. Pepper's Lonely Hearts Club Band
    Three astronauts die in a fire on the ground in Apollo 1
    Jocelyn Bell finds the first pulsar
    Che Guevara is killed in Bolivia
    1968
    Martin Luther King is shot in Memphis
    Tanks end the Prague Spring
    Apollo 8 flies around the moon at Christmas
    Students build barricades in the Latin Quarter of Paris
    Two sprinters raise black-gloved fists on the podium in Mexico City
    Robert Kennedy is shot in Los Angeles
    1969
    Neil Armstrong steps onto the moon
    Half a million people come to the festival of Woodstock
    Concorde flies for the first time
    A message goes from Los Angeles to Stanford by the ARPANET
    The Stonewall Inn in New York is raided, and its guests fight back
    Monty Python's Flying Circus begins on the BBC
    1971
    Intel sells the first microprocessor on one chip
    Bangladesh declares that it is independent
    Switzerland's men give women the vote
    Disney World opens in Florida
    The New York Times prints the Pentagon Papers
    Greenpeace sets out in a boat against a nuclear test
    1972
    Five burglars are caught in the Watergate building
    Terrorists kill eleven Israelis at the Olympic Games in Munich
    Mark Spitz wins seven gold medals
    Nixon visits China
    Bobby Fischer beats Boris Spassky in Reykjavik
    The last men until now walk on the moon
    1973
    General Pinochet takes power in Chile
    Oil becomes scarce after a war on Yom Kippur
    The Sydney Opera House opens
    Secretariat wins the Belmont Stakes by thirty-one lengths
    The Supreme Court decides Roe v. Wade
    Pink Floyd publish The Dark Side of the Moon
    1974
    Richard Nixon resigns
    Farmers in Xi'an dig up soldiers of clay
    Muhammad Ali beats George Foreman in Kinshasa
    Soldiers with carnations end a dictatorship in Portugal
    The skeleton Lucy is found in Ethiopia
    ABBA win the song contest with Waterloo
    1975
    Saigon falls to the North
    Spielberg's Jaws keeps people off the beaches
    Bill Gates and Paul Allen found Microsoft
    Franco dies, and Juan Carlos becomes king of Spain
    Apollo and Soyuz meet in orbit
    Junko Tabei is the first woman on Everest
    1977
    Star Wars opens in American cinemas
    Elvis Presley dies at Graceland
    Two Voyager probes set out for the outer planets
    Two jumbo jets collide on a runway in Tenerife
    Sadat speaks before the Knesset
    Apple sells its second computer, with colour
    1979
    Margaret Thatcher becomes prime minister
    Khomeini returns to Tehran
    A reactor at Three Mile Island is damaged
    Soviet troops enter Afghanistan
    Mother Teresa is given the Nobel Peace Prize
    Sony sells the Walkman
    1980
    John Lennon is shot in New York
    Mount St Helens erupts
    Workers in Gdańsk found Solidarity
    Pac-Man eats dots in arcades
    American ice hockey players beat the Soviet team at Lake Placid
    Smallpox is declared to be extinct
    1981
    Prince Charles marries Lady Diana Spencer
    The space shuttle Columbia flies for the first time
    IBM sells its personal computer
    Pope John Paul II is shot in St Peter's Square
    MTV begins with Video Killed the Radio Star
    President Sadat of Egypt is killed at a parade
    1984
    Apple presents the Macintosh
    Indira Gandhi is killed by her guards
    Gas from a pesticide plant kills thousands in Bhopal
    Bishop Desmond Tutu is given the Nobel Peace Prize
    Torvill and Dean skate to Boléro in Sarajevo
    British miners go on strike against closures
    1985
    Mikhail Gorbachev becomes leader of the Soviet Union
    Live Aid is played in London and Philadelphia
    The wreck of the Titanic is found
    French agents sink the Rainbow Warrior in Auckland
    Boris Becker wins Wimbledon at seventeen
    British scientists report a hole in the ozone layer
    1986
    A reactor explodes at Chernobyl
    Challenger breaks apart after launch
    Maradona scores with the hand of God
    Halley's comet returns
    Olof Palme is shot in Stockholm
    Spain and Portugal join the European Community
    1989
    The Berlin Wall opens
    Soldiers clear Tiananmen Square
    The Exxon Valdez spills oil off Alaska
    Tim Berners-Lee proposes the web at CERN
    Ceaușescu is overthrown in Romania
    Hungary's and Austria's ministers cut the fence between them
    1990
    Nelson Mandela leaves prison
    East and West Germany become one
    Iraq invades Kuwait
    The Hubble telescope is put into orbit
    The Channel Tunnel's diggers meet under the sea
    Namibia becomes independent
    1991
    The Soviet Union is dissolved
    Linus Torvalds announces a kernel as a hobby
    An allied force drives Iraq's army out of Kuwait
    Hikers find a man of the Copper Age in the ice of the Alps
    Freddie Mercury dies in London
    Slovenia and Croatia leave Yugoslavia
    1994
    Nelson Mandela becomes president of South Africa
    The Channel Tunnel opens
    Hundreds of thousands are murdered in Rwanda within a hundred days
    Pieces of comet Shoemaker-Levy 9 hit Jupiter
    Ayrton Senna dies at Imola
    Jeff Bezos founds a bookshop that sells by the internet
    1997
    Hong Kong is handed over to China
    Diana dies in a tunnel in Paris
    Deep Blue beats Garry Kasparov
    The first book about Harry Potter is published
    The sheep Dolly, a clone, is shown to the world
    Tiger Woods wins the Masters at twenty-one
    1999
    Eleven countries of Europe adopt the euro for their accounts
    NATO bombs Serbia over Kosovo
    Boris Yeltsin resigns, and Vladimir Putin follows him
    Portugal returns Macau to China
    Brian Jones and Bertrand Piccard fly around the world in a balloon
    Programmers worry about dates with two digits
    2001
    Hijacked aircraft destroy the twin towers in New York
    Wikipedia begins
    Apple presents the iPod
    Dennis Tito pays for a flight to the space station
    The Leaning Tower of Pisa opens again, straightened a little
    The Netherlands are first to open marriage to couples of the same sex
    2004
    A tsunami devastates coasts around the Indian Ocean
    Facebook begins at Harvard
    Ten countries join the European Union at once
    Two rovers land on Mars and begin to drive
    Greece wins the European football championship
    Taipei 101 becomes the tallest building
    2008
    Lehman Brothers fails
    Barack Obama is elected president
    Usain Bolt wins three gold medals in Beijing
    The Large Hadron Collider is switched on
    Kosovo declares that it is independent
    Somebody called Satoshi Nakamoto describes bitcoin
    2010
    The Burj Khalifa opens in Dubai
    Ash from Eyjafjallajökull stops air traffic in Europe
    Thirty-three miners are saved in Chile
    An earthquake destroys Port-au-Prince
    The rig Deepwater Horizon explodes
    Spain wins its first football World Cup
    2011
    A tsunami floods the nuclear plant of Fukushima
    Osama bin Laden is killed in Abbottabad
    Protests in Cairo bring Mubarak down
    South Sudan becomes independent
    Prince William marries Catherine Middleton
    The last space shuttle lands
    2012
    The Higgs boson is found at CERN
    Curiosity lands on Mars by a sky crane
    Felix Baumgartner jumps from the stratosphere
    London holds the Olympic Games for the third time
    Hurricane Sandy floods New York
    The Costa Concordia runs aground off Giglio
    2015
    Gravitational waves are measured for the first time
    New Horizons passes Pluto
    Countries agree in Paris to limit global warming
    Gunmen kill cartoonists of Charlie Hebdo
    Nepal is struck by an earthquake
    Leonardo DiCaprio fights a bear in The Revenant
    2016
    Britain votes to leave the European Union
    Donald Trump is elected president
    Leicester City win the Premier League
    Bob Dylan is given the Nobel Prize in Literature
    A program called AlphaGo beats Lee Sedol
    The Chicago Cubs win the World Series after 108 years
    2020
    The World Health Organization declares a pandemic of COVID-19
    Britain leaves the European Union
    An explosion destroys the port of Beirut
    George Floyd is killed in Minneapolis
    Parasite is the first film in another language to be best picture
    SpaceX carries astronauts to the space station
    """
}
