// An app's functions are written with these types: one import serves.
@_exported import MartletValues
