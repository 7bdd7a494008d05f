package claimsdesk

import "net/http"

func (d *desk) patchMe(w http.ResponseWriter, r *http.Request, me caller) {
	in := read(r)
	name := in.text("name", 1, 100)
	if in.wrong(1) {
		say(w, 400)
		return
	}
	d.row(w, r, 200, `update users set name = $2 where id = $1
		returning json_build_object('id', id, 'name', name, 'email', email, 'role', role)`, me.id, name)
}

func (d *desk) patchUser(w http.ResponseWriter, r *http.Request, id int64) {
	in := read(r)
	role, disabled := in.text("role", 5, 8), in.flag("disabled")
	if in.wrong(1) || (role != nil && role != "admin" && role != "customer") {
		say(w, 400)
		return
	}
	d.row(w, r, 200, `update users u set role = coalesce($2, role), disabled = coalesce($3, disabled) where id = $1
		returning to_jsonb(u)`, id, role, disabled)
}
