//go:build !linux

package grader

// processors stands for all of them: only Linux lets a thread choose one.
func processors() []int { return []int{-1} }

func pin(int) {}
