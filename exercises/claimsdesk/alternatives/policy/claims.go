package claimsdesk

import (
	"strconv"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// Claim is a row, and what admins see of it.
type Claim struct {
	ID     int64  `json:"id"`
	Owner  int64  `json:"owner"`
	Title  string `json:"title"`
	Amount int64  `json:"amount"`
	Status string `json:"status"`
	Payout int64  `json:"payout"`
	Remark string `json:"remark"`
}

// show takes out what the caller may not see.
func (q *request) show(c Claim) any {
	if q.is&admin != 0 {
		return c
	}
	return struct {
		ID     int64  `json:"id"`
		Owner  int64  `json:"owner"`
		Title  string `json:"title"`
		Amount int64  `json:"amount"`
		Status string `json:"status"`
		Payout int64  `json:"payout"`
	}{c.ID, c.Owner, c.Title, c.Amount, c.Status, c.Payout}
}

func listClaims(q *request) (int, any, error) {
	args := pgx.NamedArgs{"me": q.me.ID, "owner": nil, "all": q.is&admin != 0}
	if text := q.URL.Query().Get("owner"); text != "" {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, nil, errBad
		}
		args["owner"] = id
	}
	rows, err := q.tx.Query(q.Context(), `
		select * from claims where (@all::boolean or owner = @me)
		intersect
		select * from claims where @owner::bigint is null or owner = @owner
		order by id desc`, args)
	if err != nil {
		return 0, nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Claim])
	list := []any{}
	for _, c := range all[:min(len(all), 20)] {
		list = append(list, q.show(c))
	}
	return 200, map[string]any{"claims": list, "total": len(all)}, err
}

type claimBody struct {
	Title  *string `json:"title"`
	Amount *int64  `json:"amount"`
}

func (b claimBody) ok() bool {
	return (b.Title == nil || length(*b.Title, 1, 200)) && (b.Amount == nil || *b.Amount >= 1 && *b.Amount <= 100_000_000)
}

func length(text string, least, most int) bool {
	n := utf8.RuneCountInString(text)
	return least <= n && n <= most
}

func createClaim(q *request) (int, any, error) {
	var b claimBody
	if err := q.body(&b); err != nil || !b.ok() || b.Title == nil || b.Amount == nil {
		return 0, nil, errBad
	}
	var c Claim
	err := q.get(&c, errNothing, `insert into claims (owner, title, amount) values ($1, $2, $3) returning *`, q.me.ID, b.Title, b.Amount)
	return 201, q.show(c), err
}

func showClaim(q *request) (int, any, error) { return 200, q.show(q.claim), nil }

func patchClaim(q *request) (int, any, error) {
	var b claimBody
	if err := q.body(&b); err != nil || !b.ok() {
		return 0, nil, errBad
	}
	if b.Title != nil {
		q.claim.Title = *b.Title
	}
	if b.Amount != nil {
		q.claim.Amount = *b.Amount
	}
	_, err := q.tx.Exec(q.Context(), `update claims set title = $2, amount = $3 where id = $1`, q.claim.ID, q.claim.Title, q.claim.Amount)
	return 200, q.show(q.claim), err
}

func deleteClaim(q *request) (int, any, error) {
	_, err := q.tx.Exec(q.Context(), `delete from claims where id = $1`, q.claim.ID)
	return 204, nil, err
}

func decideClaim(q *request) (int, any, error) {
	var b struct {
		Status, Remark *string
		Payout         *int64
	}
	if err := q.body(&b); err != nil || b.Status == nil || b.Remark == nil || b.Payout == nil {
		return 0, nil, errBad
	}
	if *b.Status != "approved" && *b.Status != "refused" || !length(*b.Remark, 0, 2000) || *b.Payout < 0 || *b.Payout > 100_000_000 {
		return 0, nil, errBad
	}
	q.claim.Status, q.claim.Payout, q.claim.Remark = *b.Status, *b.Payout, *b.Remark
	_, err := q.tx.Exec(q.Context(), `update claims set status = $2, payout = $3, remark = $4 where id = $1`,
		q.claim.ID, b.Status, b.Payout, b.Remark)
	return 200, q.show(q.claim), err
}
