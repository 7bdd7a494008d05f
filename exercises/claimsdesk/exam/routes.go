package exam

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The columns of the matrix: who sends the request, and whose object it is about.
// In the last one, the owner asks for an object with an id that was never given.
var columns = []string{"owner", "other", "admin", "admin's", "nobody", "none"}

// route is a row of the matrix, with the status that is due in each column, "-"
// where there is no such case.
type route struct {
	name   string // as the table shows it
	method string
	want   string
	path   func(d *company, at place) string
	body   func(d *company, at place) any
}

// place is one cell, once its objects have been made.
type place struct {
	caller *person
	file   file // the claim that the request is about, if it is about one
	claim  int64
	note   int64
	user   *person
	userID int64
}

func claimPath(more string) func(*company, place) string {
	return func(_ *company, at place) string { return fmt.Sprintf("/claims/%d%s", at.claim, more) }
}

func notePath(_ *company, at place) string {
	return fmt.Sprintf("/claims/%d/notes/%d", at.claim, at.note)
}

func fixed(path string) func(*company, place) string {
	return func(*company, place) string { return path }
}

func newTitle(d *company, _ place) any { return map[string]any{"title": d.c.Words(3)} }

func newClaim(d *company, _ place) any {
	return map[string]any{"title": d.c.Words(3), "amount": d.c.Int(100, 90_000)}
}

func newNote(d *company, _ place) any { return map[string]any{"text": d.c.Words(3)} }

func decision(d *company, _ place) any {
	return map[string]any{"status": "approved", "payout": d.c.Int(100, 90_000), "remark": d.c.Words(2)}
}

func newName(d *company, _ place) any { return map[string]any{"name": d.c.Words(2)} }

// newRole makes an admin, where it must not be possible, and else what there is.
func newRole(_ *company, at place) any {
	if at.caller != nil && at.caller.role == "admin" && at.user != nil {
		return map[string]any{"role": at.user.role}
	}
	return map[string]any{"role": "admin"}
}

var routes = []route{
	//                                                            owner other admin admin's nobody none
	{"GET    /claims/{id}", http.MethodGet, "200 404 200 200 401 404", claimPath(""), nil},
	{"GET    …/notes", http.MethodGet, "200 404 200 200 401 404", claimPath("/notes"), nil},
	{"GET    …/notes/{note}", http.MethodGet, "200 404 200 200 401 404", notePath, nil},
	{"PATCH  /claims/{id}", http.MethodPatch, "200 404 403 200 401 404", claimPath(""), newTitle},
	{"DELETE /claims/{id}", http.MethodDelete, "204 404 403 204 401 404", claimPath(""), nil},
	{"PUT    …/decision", http.MethodPut, "403 404 200 403 401 404", claimPath("/decision"), decision},
	{"POST   …/notes", http.MethodPost, "201 404 201 201 401 404", claimPath("/notes"), newNote},
	{"DELETE …/notes/{own}", http.MethodDelete, "204 404 403 204 401 404", notePath, nil},
	{"DELETE …/notes/{other}", http.MethodDelete, "403 404 403 403 401 404", notePath, nil},
	{"GET    /admin", http.MethodGet, "403 403 200 200 401 -", fixed("/admin"), nil},
	{"GET    /admin/users", http.MethodGet, "403 403 200 200 401 -", fixed("/admin/users"), nil},
	{"PATCH  …/users/{id}", http.MethodPatch, "403 403 200 200 401 403",
		func(_ *company, at place) string { return fmt.Sprintf("/admin/users/%d", at.userID) }, newRole},
	{"GET    /claims", http.MethodGet, "200 - - - 401 -", fixed("/claims"), nil},
	{"POST   /claims", http.MethodPost, "201 - - - 401 -", fixed("/claims"), newClaim},
	{"GET    /me", http.MethodGet, "200 - - - 401 -", fixed("/me"), nil},
	{"PATCH  /me", http.MethodPatch, "200 - - - 401 -", fixed("/me"), newName},
}

// due is the status that a cell must come out with, 0 where there is no such case.
func (rt route) due(column string) int {
	n, _ := strconv.Atoi(strings.Fields(rt.want)[slices.Index(columns, column)])
	return n
}

func (rt route) reads() bool { return rt.method == http.MethodGet }

// about tells whether the route is about a claim, and about a note.
func (rt route) about() (claim, note bool) {
	claim = strings.Contains(rt.name, "/claims/{") || strings.Contains(rt.name, "…/notes") || strings.Contains(rt.name, "…/decision")
	return claim, strings.Contains(rt.name, "…/notes/")
}

// place makes the objects of a cell. Notes are the owner's, or the colleague's.
func (d *company) place(rt route, column string) place {
	at := place{caller: d.owner, user: d.owner}
	owner := d.owner
	switch column {
	case "other":
		at.caller = d.other
	case "admin":
		at.caller = d.admin
	case "admin's":
		at.caller, owner, at.user = d.admin, d.admin, d.admin
	case "nobody":
		at.caller = nil
	}
	at.userID = at.user.id
	if column == "none" {
		at.claim, at.note, at.userID, at.user = d.never(), d.never(), d.never(), nil
		return at
	}
	if claim, _ := rt.about(); claim {
		at.file = d.shared(owner)
		at.claim, at.note = at.file.id, at.file.ownNote
		if strings.Contains(rt.name, "{other}") {
			at.note = at.file.adminsNote
		}
	}
	return at
}
