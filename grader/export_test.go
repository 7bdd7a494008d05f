package grader

// StateDir is where the servers of this package's tests belong.
func StateDir() string { return stateDir }
