// What `demo:fill` puts into the store. Prices are in cents.

extension Demo {
  struct Product: Sendable {
    let category: String
    let name: String
    let price: Double
    let stock: Int
    let tags: [String]
    let description: String

    init(_ category: String, _ name: String, _ price: Double, stock: Int, _ tags: [String], _ description: String) {
      self.category = category
      self.name = name
      self.price = price
      self.stock = stock
      self.tags = tags
      self.description = description
    }
  }

  static let catalogue: [Product] = [
    Product(
      "Coffee", "Ethiopia Guji, 250 g", 1450, stock: 84, ["beans", "light roast"],
      "Washed heirloom from 2,100 m. Jasmine, peach and a long lemon finish."),
    Product(
      "Coffee", "Colombia Huila, 250 g", 1290, stock: 120, ["beans", "medium roast"],
      "Caturra from eleven smallholders. Milk chocolate, red apple, brown sugar."),
    Product(
      "Coffee", "House espresso, 1 kg", 3200, stock: 45, ["beans", "dark roast", "espresso"],
      "Our everyday blend for milk drinks: cocoa, hazelnut, little acidity."),
    Product(
      "Coffee", "Hand grinder", 8900, stock: 18, ["equipment"],
      "Steel conical burrs, 36 clicks from espresso to French press, holds 25 g."),
    Product(
      "Coffee", "Paper filters, 100 pieces", 690, stock: 260, ["equipment", "refill"],
      "Unbleached cone filters, size 02."),

    Product(
      "Kitchen", "Chef's knife, 20 cm", 12900, stock: 22, ["knives", "steel"],
      "Hand-sharpened carbon steel with a walnut handle. Wants to be wiped dry."),
    Product(
      "Kitchen", "Cast-iron skillet, 26 cm", 5400, stock: 31, ["pans", "cast iron"],
      "Pre-seasoned, for every hob and the oven. 2.4 kg."),
    Product(
      "Kitchen", "Oak cutting board", 4700, stock: 40, ["wood"],
      "End grain, 40 × 28 cm, oiled. Groove on one side."),
    Product(
      "Kitchen", "Linen tea towels, set of 3", 2600, stock: 75, ["linen"],
      "Stone-washed linen that gets softer with each wash. 50 × 70 cm."),

    Product(
      "Books", "The Garden in a Small Yard", 2400, stock: 37, ["gardening", "hardcover"],
      "A year of planting plans for twelve square metres. 224 pages."),
    Product(
      "Books", "Bread, Slowly", 2900, stock: 28, ["cooking", "hardcover"],
      "Sourdough from the first starter to the fiftieth loaf. 312 pages."),
    Product(
      "Books", "A Field Guide to Swifts", 1900, stock: 64, ["nature", "paperback"],
      "Every swift and martin of Europe, in flight and at the nest. 160 pages."),
    Product(
      "Books", "Maps of Imaginary Coasts", 4500, stock: 3, ["art", "hardcover"],
      "Forty engraved charts of places that aren't there. Numbered edition."),

    Product(
      "Stationery", "Dotted notebook, A5", 1600, stock: 150, ["paper"],
      "192 pages of 90 g paper that takes a fountain pen. Lies flat."),
    Product(
      "Stationery", "Fountain pen, fine", 3900, stock: 26, ["pens"],
      "Brass body, steel nib, converter included."),
    Product(
      "Stationery", "Ink, midnight blue, 50 ml", 1250, stock: 58, ["pens", "refill"],
      "Pigmented and waterproof once dry."),
    Product(
      "Stationery", "Desk calendar", 1500, stock: 0, ["paper"],
      "One week a page, with moon phases. Back in autumn."),

    Product(
      "Outdoors", "Enamel mug, 350 ml", 1400, stock: 96, ["camping"],
      "Steel under two coats of enamel. Survives the fire and the dishwasher."),
    Product(
      "Outdoors", "Wool blanket", 9800, stock: 14, ["camping", "wool"],
      "Recycled lambswool, 140 × 200 cm, with a leather carrying strap."),
    Product(
      "Outdoors", "Headlamp, 300 lm", 4200, stock: 47, ["camping", "light"],
      "Charges by USB-C, red light for maps, 90 hours on low."),
    Product(
      "Outdoors", "Daypack, 18 l", 7900, stock: 33, ["bags"],
      "Waxed cotton, one zip, two bottle pockets. 620 g."),

    Product(
      "Photography", "Black-and-white film, ISO 400", 990, stock: 180, ["film", "35 mm"],
      "36 exposures. Pushes well to 1600."),
    Product(
      "Photography", "Developing tank", 3400, stock: 12, ["darkroom"],
      "For two rolls of 35 mm or one of 120, with adjustable reels."),
    Product(
      "Photography", "Film camera strap", 2200, stock: 9, ["leather"],
      "Vegetable-tanned leather, 110 cm. Discontinued."),
  ]

  static let customers: [(name: String, email: String, role: UserRole)] = [
    ("Ada Moreno", "ada@example.com", .user),
    ("Jonas Weber", "jonas@example.com", .user),
    ("Mira Okafor", "mira@example.com", .admin),
  ]

  struct Order: Sendable {
    let customer: String
    let lines: [(product: String, quantity: Int)]
    /// What became of it, step by step.
    var progress: [OrderProgress] = []
    var trackingNumber: String?
  }

  package static var orderCount: Int { orders.count }

  static let orders: [Order] = [
    Order(
      customer: "Ada Moreno", lines: [("Ethiopia Guji, 250 g", 2), ("Paper filters, 100 pieces", 1)],
      progress: [.confirmed, .shipped, .delivered], trackingNumber: "MT-20418-77"),
    Order(
      customer: "Jonas Weber", lines: [("Chef's knife, 20 cm", 1), ("Oak cutting board", 1)],
      progress: [.confirmed, .shipped], trackingNumber: "MT-20433-19"),
    Order(
      customer: "Mira Okafor", lines: [("Wool blanket", 2)],
      progress: [.confirmed, .cancelled]),
    Order(
      customer: "Ada Moreno", lines: [("A Field Guide to Swifts", 1), ("Dotted notebook, A5", 3)],
      progress: [.confirmed, .shipped], trackingNumber: "MT-20451-02"),
    Order(
      customer: "Mira Okafor", lines: [("House espresso, 1 kg", 1), ("Hand grinder", 1), ("Enamel mug, 350 ml", 4)],
      progress: [.confirmed]),
    Order(customer: "Jonas Weber", lines: [("Black-and-white film, ISO 400", 10), ("Developing tank", 1)]),
    Order(customer: "Ada Moreno", lines: [("Maps of Imaginary Coasts", 1)]),
  ]
}
