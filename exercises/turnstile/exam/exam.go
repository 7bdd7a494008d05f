// Package exam examines the image of a ticket gate: what its Dockerfile begins with, what lies in
// its layers, as whom and in what surroundings its program runs.
package exam

import (
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

const lesson = "containers/small-images#"

const (
	builder    = "golang:1.26"
	distroless = "gcr.io/distroless/static-debian12:nonroot"
	most       = 20_000_000 // bytes of all layers
	startIn    = 10 * time.Second
	stopIn     = 5 * time.Second
)

const (
	whySecret = "Whoever can pull an image can read each of its layers, years later too, and an image is pulled by many. " +
		"A key that was in one has to be replaced everywhere it is used."
	whySmall = "Every new machine pulls the image before it serves, and every scanner reports what lies in it: " +
		"a compiler and a shell are a minute of waiting, a list of holes that you did not write, and tools for whoever gets in."
	whyUser = "A hole in the program is worth as much as its user may do. The root of a container is the root of the host's kernel, " +
		"kept in by a list of things taken away."
	whyReadOnly = "A root file system that cannot be written keeps whoever gets in from leaving anything there, " +
		"and keeps the program from filling the disk of the machine. Many platforms ask for it."
	whyBase = "What a build begins with becomes part of every image. A team agrees on a few bases, keeps these patched, and lets nothing else in."
)

// Exam declares the checks.
func Exam(x *exam.X) {
	x.Images(builder, distroless)
	x.Check("bases", "begins with the images that are allowed", bases,
		exam.Why(whyBase), exam.Read(lesson+"what-it-begins-with"))
	x.Check("plain", "is understood by every builder, and fetches nothing", plain,
		exam.Why("A Dockerfile is read by other builders than the one on your desk: that of the pipeline, of the platform, of a colleague."),
		exam.Read(lesson+"what-it-begins-with"))
	x.Check("builds", "builds without network", builds, exam.After("bases", "plain"),
		exam.Read(lesson+"two-stages"))
	x.Check("secrets", "has no secret in any layer", secrets, exam.After("builds"),
		exam.Why(whySecret), exam.Read(lesson+"deleted-is-not-gone"))
	x.Check("small", "has at most 20 MB in all layers", small, exam.After("builds"),
		exam.Why(whySmall), exam.Read(lesson+"two-stages"))
	x.Check("user", "runs as a number that is not root's", user, exam.After("builds"),
		exam.Why(whyUser), exam.Read(lesson+"who-it-is"))
	x.Check("runs", "answers over HTTP", runs, exam.After("builds"),
		exam.Why("An image is right when it runs, with the settings of the platform and nothing of the machine that built it."),
		exam.Read(lesson+"one-file-that-runs"))
	x.Check("ready", "has the files that the program needs", ready, exam.After("runs"), exam.Parallel(),
		exam.Why("Such a program starts, answers, and fails at its first call to somebody else. On the desk it never did: there the files are the system's."),
		exam.Read(lesson+"what-a-binary-does-not-bring"))
	x.Check("readonly", "runs with a root file system that cannot be written", readOnly, exam.After("runs"), exam.Parallel(),
		exam.Why(whyReadOnly), exam.Read(lesson+"nothing-to-write-on"))
	x.Check("stops", "ends by itself when it is told to stop", stops, exam.After("runs"), exam.Parallel(),
		exam.Why("A container that does not react is killed after the grace period, with whatever it was doing."),
		exam.Read(lesson+"one-file-that-runs"))
}
