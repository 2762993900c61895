@main enum Shiftwork { static func main() {} }
