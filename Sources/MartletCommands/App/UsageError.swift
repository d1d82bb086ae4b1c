import ArgumentParser

/// The command line is wrong. Told apart from `MartletValues.ValidationError`, which is about values.
typealias UsageError = ArgumentParser.ValidationError
