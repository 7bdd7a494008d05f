// Package exam examines the claims desk: every kind of caller tries every route on
// every kind of object.
package exam

import "github.com/cairn-learn/cairn/grader/exam"

const (
	lesson = "security/object-access#"

	whyContract = "What nobody can use is safe without effort. Whoever may do something has to be able to."
	whyNobody   = "401 says: I do not know you, bring a token, and WWW-Authenticate says of which kind. A client that gets it logs in again; with 403 it gives up."
	whyTokens   = "Tokens are lost, and people leave. What an admin takes away at five past nine must not open anything at six past."
	whyItem     = "Ids are numbers, and everybody can count. This is the first entry of OWASP's list for APIs, because it is the most common hole and the cheapest to use: BOLA, broken object level authorization."
	whyList     = "A list and the objects in it are asked for by different statements, and each of them needs the condition. A number is an answer, too: it tells what others do."
	whyWrite    = "Reading somebody else's claim is a leak. Changing it is worse, and each route that writes has a door of its own."
	whyNested   = "The path names two objects, and the check of the first says nothing about the second. Whoever owns any claim could reach the notes of all."
	whyForbid   = "Being allowed to see something is one right, and to change it is another. Owner, author and admin are answers to different questions."
	whyTelling  = "Whoever can tell the two apart counts your customers' claims, or finds out whether a document with a certain number exists, without reading one."
	whyAdmin    = "Routes for admins are in the documentation, in the JavaScript of the admin page, or guessed. OWASP calls what is missing here broken function level authorization."
	whySays     = "Whatever a caller writes, a caller can invent. Only what your own tables say about the token is worth anything."
	whyIn       = "A body is whatever its sender likes. A field that your form does not show is still easily sent; OWASP calls it mass assignment, a part of API3."
	whyOut      = "What is in the answer has been told, whether a page shows it or not. OWASP has it as excessive data exposure, a part of API3."
	whyMatrix   = "A rule that holds on eleven routes is found on the twelfth. Tools try all of them."
)

// Exam declares the checks: first what has to work, then who must not get through,
// route by route, and the whole matrix in the end.
func Exam(x *exam.X) {
	x.Check("claims", "takes claims, and lets their owner read, change and withdraw them", claims, exam.Why(whyContract))
	x.Check("notes", "keeps notes about a claim", notes, exam.After("claims"), exam.Why(whyContract))
	x.Check("desk", "lets admins see all claims, decide them and change users", desk, exam.After("notes"), exam.Why(whyContract))
	works := exam.After("claims", "notes", "desk")

	x.Check("nobody", "asks nobody in with 401", nobody, works,
		exam.Why(whyNobody), exam.Read(lesson+"four-questions"))
	x.Check("tokens", "knows a token that is no good any more", tokens, exam.After("nobody"),
		exam.Why(whyTokens), exam.Read(lesson+"who-is-asking"))
	x.Check("item", "shows a claim and its notes to those who can see it", item, works,
		exam.Why(whyItem), exam.Read(lesson+"at-the-row"))
	x.Check("list", "lists and counts what the caller can see", list, works,
		exam.Why(whyList), exam.Read(lesson+"the-list-and-its-number"))
	x.Check("write", "lets nobody write to what they can't see", write, exam.After("item"),
		exam.Why(whyWrite), exam.Read(lesson+"every-route-has-a-door-of-its-own"))
	x.Check("nested", "finds a note under its own claim only", nested, exam.After("item"),
		exam.Why(whyNested), exam.Read(lesson+"a-note-of-another-claim"))
	x.Check("forbidden", "refuses with 403 what who can see a claim may not do", forbidden, exam.After("item"),
		exam.Why(whyForbid), exam.Read(lesson+"seeing-and-doing"))
	x.Check("telling", "says the same of what is hidden and of what is not there", telling, exam.After("item", "write", "nested"),
		exam.Why(whyTelling), exam.Read(lesson+"403-or-404"))
	x.Check("admin", "keeps customers out of /admin, however it is written", admin, works,
		exam.Why(whyAdmin), exam.Read(lesson+"guard-the-handler-not-the-path"))
	x.Check("says", "goes by the tables, and not by what a caller says", says, exam.After("item", "admin"),
		exam.Why(whySays), exam.Read(lesson+"who-is-asking"))
	x.Check("in", "takes from a body what is meant to be in it", in, works,
		exam.Why(whyIn), exam.Read(lesson+"what-goes-in"))
	x.Check("out", "puts into answers what is meant to be in them", out, works,
		exam.Why(whyOut), exam.Read(lesson+"what-comes-out"))
	x.Check("matrix", "holds in the rest of the matrix", matrix,
		exam.After("nobody", "item", "write", "nested", "forbidden", "admin"),
		exam.Why(whyMatrix), exam.Read(lesson+"the-matrix"))
}
