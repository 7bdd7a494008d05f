package tui

func child() bool { return false }
