package claimsdesk

import (
	"net/http"
	"strconv"
)

func (d *desk) list(w http.ResponseWriter, r *http.Request, me caller) {
	var owner any
	if text := r.URL.Query().Get("owner"); text != "" {
		id, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			say(w, 400)
			return
		}
		owner = int64(id)
	}
	d.row(w, r, 200, `
		with c as (select *, count(*) over () as n from claims
			where (owner = $1 or $2::boolean) and owner = coalesce($3::bigint, owner) order by id desc limit 20)
		select json_build_object('total', coalesce(max(n), 0),
			'claims', coalesce(json_agg(`+shown+` - 'n' order by id desc), '[]')) from c`, me.id, me.admin, owner)
}

func (d *desk) create(w http.ResponseWriter, r *http.Request, me caller) {
	in := read(r)
	title, amount := in.text("title", 1, 200), in.number("amount", 1, 100_000_000)
	if in.wrong(2) {
		say(w, 400)
		return
	}
	d.row(w, r, 201, `with c as (insert into claims (owner, title, amount) values ($1, $3, $4) returning *)
		select `+shown+` from c`, me.id, me.admin, title, amount)
}

// patch can't tell a wrong body of a stranger's from any other: it asks first
// whether there is something to see.
func (d *desk) patch(w http.ResponseWriter, r *http.Request, me caller, id int64) {
	in := read(r)
	title, amount := in.text("title", 1, 200), in.number("amount", 1, 100_000_000)
	if in.wrong(1) {
		d.unless(w, r, me, id)
		return
	}
	d.write(w, r, 200, seen+`, done as (
			update claims d set title = coalesce($4::text, d.title), amount = coalesce($5::bigint, d.amount)
			from c where d.id = c.id and c.owner = $1 returning d.*)
		select (select count(*) from c), (select count(*) from done), (select `+shown+` from done c)`,
		me.id, me.admin, id, title, amount)
}

// unless answers 400, or 404 where there is nothing to see.
func (d *desk) unless(w http.ResponseWriter, r *http.Request, me caller, id int64) {
	var n int
	err := d.db.QueryRowContext(r.Context(), seen+`select count(*) from c`, me.id, me.admin, id).Scan(&n)
	switch {
	case err != nil:
		fail(w, err)
	case n == 0:
		say(w, 404)
	default:
		say(w, 400)
	}
}

func (d *desk) decide(w http.ResponseWriter, r *http.Request, me caller, id int64) {
	in := read(r)
	status, payout, remark := in.text("status", 7, 8), in.number("payout", 0, 100_000_000), in.text("remark", 0, 2000)
	if in.wrong(3) || (status != "approved" && status != "refused") {
		d.unless(w, r, me, id)
		return
	}
	d.write(w, r, 200, seen+`, done as (
			update claims d set status = $4, payout = $5, remark = $6
			from c where d.id = c.id and c.owner <> $1 and $2 returning d.*)
		select (select count(*) from c), (select count(*) from done), (select `+shown+` from done c)`,
		me.id, me.admin, id, status, payout, remark)
}

func (d *desk) note(w http.ResponseWriter, r *http.Request, me caller, id int64) {
	in := read(r)
	text := in.text("text", 1, 2000)
	if in.wrong(1) {
		d.unless(w, r, me, id)
		return
	}
	d.row(w, r, 201, seen+`, n as (insert into notes (claim, author, text) select id, $1, $4 from c returning *)
		select `+noteJSON+` from n join users u on u.id = n.author`, me.id, me.admin, id, text)
}
