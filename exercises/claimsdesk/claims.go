package claimsdesk

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// claim is a row. What is told of it is a claimView.
type claim struct {
	ID     int64
	Owner  int64
	Title  string
	Amount int64
	Status string
	Payout int64
	Remark string
}

const claimColumns = `id, owner, title, amount, status, payout, remark`

type claimView struct {
	ID     int64   `json:"id"`
	Owner  int64   `json:"owner"`
	Title  string  `json:"title"`
	Amount int64   `json:"amount"`
	Status string  `json:"status"`
	Payout int64   `json:"payout"`
	Remark *string `json:"remark,omitempty"` // for admins
}

// shownTo is what the given user may see of a claim. Every answer with a claim in
// it comes from here.
func (c claim) shownTo(me user) claimView {
	v := claimView{ID: c.ID, Owner: c.Owner, Title: c.Title, Amount: c.Amount, Status: c.Status, Payout: c.Payout}
	if me.admin() {
		v.Remark = &c.Remark
	}
	return v
}

// claim finds the claim that the path names, if me may see it. There is no other
// way to one: what it does not return does not exist for the caller.
func (s *service) claim(r *http.Request, me user) (claim, error) {
	id, err := number(r, "id")
	if err != nil {
		return claim{}, err
	}
	rows, err := s.pool.Query(r.Context(), `
		select `+claimColumns+` from claims
		where id = $1 and (owner = $2 or $3)`, id, me.ID, me.admin())
	return one[claim](rows, err, errMissing)
}

// ownClaim is claim for what only the owner may do.
func (s *service) ownClaim(r *http.Request, me user) (claim, error) {
	c, err := s.claim(r, me)
	if err == nil && c.Owner != me.ID {
		err = errForbidden
	}
	return c, err
}

func (s *service) listClaims(r *http.Request, me user) (int, any, error) {
	var owner *int64 // narrows what may be seen, and can't widen it
	if text := r.URL.Query().Get("owner"); text != "" {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, nil, bad("owner is the id of a user")
		}
		owner = &id
	}
	const visible = ` from claims where (owner = $1 or $2) and ($3::bigint is null or owner = $3)`
	var total int
	err := s.pool.QueryRow(r.Context(), `select count(*)`+visible, me.ID, me.admin(), owner).Scan(&total)
	if err != nil {
		return 0, nil, fmt.Errorf("count the claims: %w", err)
	}
	rows, err := s.pool.Query(r.Context(), `select `+claimColumns+visible+` order by id desc limit 20`,
		me.ID, me.admin(), owner)
	if err != nil {
		return 0, nil, fmt.Errorf("list the claims: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[claim])
	views := make([]claimView, len(found))
	for i, c := range found {
		views[i] = c.shownTo(me)
	}
	return http.StatusOK, map[string]any{"total": total, "claims": views}, err
}

// claimInput is what an owner may write of a claim.
type claimInput struct {
	Title  *string `json:"title"`
	Amount *int64  `json:"amount"`
}

func (in *claimInput) read(r *http.Request) error {
	if err := decode(r, in); err != nil {
		return err
	}
	if in.Title != nil && !between(*in.Title, 1, 200) {
		return bad("title has 1 to 200 characters")
	}
	if in.Amount != nil && (*in.Amount < 1 || *in.Amount > 100_000_000) {
		return bad("amount is from 1 to 100000000 cents")
	}
	return nil
}

func (s *service) handIn(r *http.Request, me user) (int, any, error) {
	var in claimInput
	if err := in.read(r); err != nil {
		return 0, nil, err
	}
	if in.Title == nil || in.Amount == nil {
		return 0, nil, bad("a claim has a title and an amount")
	}
	rows, err := s.pool.Query(r.Context(), `
		insert into claims (owner, title, amount) values ($1, $2, $3)
		returning `+claimColumns, me.ID, in.Title, in.Amount)
	c, err := one[claim](rows, err, errMissing)
	return http.StatusCreated, c.shownTo(me), err
}

func (s *service) showClaim(r *http.Request, me user) (int, any, error) {
	c, err := s.claim(r, me)
	return http.StatusOK, c.shownTo(me), err
}

func (s *service) changeClaim(r *http.Request, me user) (int, any, error) {
	c, err := s.ownClaim(r, me)
	if err != nil {
		return 0, nil, err
	}
	var in claimInput
	if err := in.read(r); err != nil {
		return 0, nil, err
	}
	rows, err := s.pool.Query(r.Context(), `
		update claims set title = coalesce($3, title), amount = coalesce($4, amount)
		where id = $1 and owner = $2
		returning `+claimColumns, c.ID, me.ID, in.Title, in.Amount)
	c, err = one[claim](rows, err, errMissing)
	return http.StatusOK, c.shownTo(me), err
}

func (s *service) withdrawClaim(r *http.Request, me user) (int, any, error) {
	c, err := s.ownClaim(r, me)
	if err != nil {
		return 0, nil, err
	}
	return s.deleted(r.Context(), `delete from claims where id = $1 and owner = $2`, c.ID, me.ID)
}

// deleted runs a statement that deletes one row, and answers.
func (s *service) deleted(ctx context.Context, sql string, args ...any) (int, any, error) {
	tag, err := s.pool.Exec(ctx, sql, args...)
	if err == nil && tag.RowsAffected() == 0 {
		err = errMissing
	}
	return http.StatusNoContent, nil, err
}

// decide is for admins, and not about their own claims.
func (s *service) decide(r *http.Request, me user) (int, any, error) {
	c, err := s.claim(r, me)
	if err != nil {
		return 0, nil, err
	}
	if !me.admin() || c.Owner == me.ID {
		return 0, nil, errForbidden
	}
	var in struct {
		Status string  `json:"status"`
		Payout *int64  `json:"payout"`
		Remark *string `json:"remark"`
	}
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	switch {
	case in.Status != "approved" && in.Status != "refused":
		return 0, nil, bad("status is approved or refused")
	case in.Payout == nil || *in.Payout < 0 || *in.Payout > 100_000_000:
		return 0, nil, bad("payout is from 0 to 100000000 cents")
	case in.Remark == nil || !between(*in.Remark, 0, 2000):
		return 0, nil, bad("remark has up to 2000 characters")
	}
	rows, err := s.pool.Query(r.Context(), `
		update claims set status = $3, payout = $4, remark = $5
		where id = $1 and owner <> $2
		returning `+claimColumns, c.ID, me.ID, in.Status, in.Payout, in.Remark)
	c, err = one[claim](rows, err, errMissing)
	return http.StatusOK, c.shownTo(me), err
}

// between tells whether a text has from least to most characters.
func between(text string, least, most int) bool {
	n := utf8.RuneCountInString(text)
	return n >= least && n <= most
}
