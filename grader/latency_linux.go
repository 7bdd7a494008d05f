package grader

import "golang.org/x/sys/unix"

// mostWatched bounds the threads of a watch. With so many processors one that is
// away keeps few programs waiting.
const mostWatched = 16

// processors are the numbers of those that cairn may run on.
func processors() (all []int) {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return []int{-1}
	}
	for n := 0; len(all) < min(set.Count(), mostWatched); n++ {
		if set.IsSet(n) {
			all = append(all, n)
		}
	}
	return all
}

// pin keeps the calling thread on one processor. Where that is not allowed it runs on any.
func pin(n int) {
	if n < 0 {
		return
	}
	var set unix.CPUSet
	set.Set(n)
	_ = unix.SchedSetaffinity(0, &set)
}
