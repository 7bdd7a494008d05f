package claimsdesk

import (
	"fmt"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

type claim struct {
	ID     int64  `json:"id"`
	Owner  int64  `json:"owner"`
	Title  string `json:"title"`
	Amount int64  `json:"amount"`
	Status string `json:"status"`
	Payout int64  `json:"payout"`
	Remark string `json:"remark,omitempty"`
}

const claimColumns = `id, owner, title, amount, status, payout, remark`

// claim finds the claim that the path names.
func (s *service) claim(r *http.Request) (claim, error) {
	id, err := number(r, "id")
	if err != nil {
		return claim{}, err
	}
	rows, err := s.pool.Query(r.Context(), `
		select `+claimColumns+` from claims where id = $1`, id)
	return one[claim](rows, err, errMissing)
}

// listClaims lists the caller's own claims, or all of them for an admin; or those
// of the owner that was asked for.
func (s *service) listClaims(r *http.Request, me user) (int, any, error) {
	owner, all := me.ID, me.admin()
	if text := r.URL.Query().Get("owner"); text != "" {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, nil, bad("owner is the id of a user")
		}
		owner, all = id, false
	}
	var total int
	err := s.pool.QueryRow(r.Context(), `select count(*) from claims`).Scan(&total)
	if err != nil {
		return 0, nil, fmt.Errorf("count the claims: %w", err)
	}
	rows, err := s.pool.Query(r.Context(), `
		select `+claimColumns+` from claims
		where owner = $1 or $2
		order by id desc limit 20`, owner, all)
	if err != nil {
		return 0, nil, fmt.Errorf("list the claims: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[claim])
	return http.StatusOK, map[string]any{"total": total, "claims": found}, err
}

// read decodes a claim over what is in c already, so that absent fields stay.
func (c *claim) read(r *http.Request) error {
	if err := decode(r, c); err != nil {
		return err
	}
	if !between(c.Title, 1, 200) {
		return bad("title has 1 to 200 characters")
	}
	if c.Amount < 1 || c.Amount > 100_000_000 {
		return bad("amount is from 1 to 100000000 cents")
	}
	return nil
}

func (s *service) handIn(r *http.Request, me user) (int, any, error) {
	c := claim{Owner: me.ID, Status: "open"}
	if err := c.read(r); err != nil {
		return 0, nil, err
	}
	rows, err := s.pool.Query(r.Context(), `
		insert into claims (owner, title, amount, status, payout, remark)
		values ($1, $2, $3, $4, $5, $6)
		returning `+claimColumns, c.Owner, c.Title, c.Amount, c.Status, c.Payout, c.Remark)
	c, err = one[claim](rows, err, errMissing)
	return http.StatusCreated, c, err
}

func (s *service) showClaim(r *http.Request, _ user) (int, any, error) {
	c, err := s.claim(r)
	return http.StatusOK, c, err
}

func (s *service) changeClaim(r *http.Request, _ user) (int, any, error) {
	c, err := s.claim(r)
	if err != nil {
		return 0, nil, err
	}
	if err := c.read(r); err != nil {
		return 0, nil, err
	}
	return s.store(r, c)
}

// store writes a claim as it is now.
func (s *service) store(r *http.Request, c claim) (int, any, error) {
	rows, err := s.pool.Query(r.Context(), `
		update claims set owner = $2, title = $3, amount = $4, status = $5, payout = $6, remark = $7
		where id = $1
		returning `+claimColumns, c.ID, c.Owner, c.Title, c.Amount, c.Status, c.Payout, c.Remark)
	c, err = one[claim](rows, err, errMissing)
	return http.StatusOK, c, err
}

func (s *service) withdrawClaim(r *http.Request, _ user) (int, any, error) {
	c, err := s.claim(r)
	if err != nil {
		return 0, nil, err
	}
	_, err = s.pool.Exec(r.Context(), `delete from claims where id = $1`, c.ID)
	return http.StatusNoContent, nil, err
}

func (s *service) decide(r *http.Request, _ user) (int, any, error) {
	c, err := s.claim(r)
	if err != nil {
		return 0, nil, err
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
	c.Status, c.Payout, c.Remark = in.Status, *in.Payout, *in.Remark
	return s.store(r, c)
}

// between tells whether a text has from least to most characters.
func between(text string, least, most int) bool {
	n := utf8.RuneCountInString(text)
	return n >= least && n <= most
}
