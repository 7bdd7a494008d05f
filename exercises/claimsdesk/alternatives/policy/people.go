package claimsdesk

import (
	"strconv"

	"github.com/jackc/pgx/v5"
)

// Me is what somebody learns of themselves.
type Me struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Role  string `json:"role"`
}

// User is what admins learn of somebody.
type User struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	Role     string `json:"role"`
	Disabled bool   `json:"disabled"`
}

func showMe(q *request) (int, any, error) { return 200, q.me, nil }

func renameMe(q *request) (int, any, error) {
	var b struct{ Name string }
	if err := q.body(&b); err != nil || !length(b.Name, 1, 100) {
		return 0, nil, errBad
	}
	err := q.get(&q.me, errNothing, `update users set name = $2 where id = $1 returning id, name, email, role`, q.me.ID, b.Name)
	return 200, q.me, err
}

func overview(q *request) (int, any, error) {
	var users, claims int
	err := q.tx.QueryRow(q.Context(), `select count(*), (select count(*) from claims) from users`).Scan(&users, &claims)
	return 200, map[string]int{"users": users, "claims": claims}, err
}

func listUsers(q *request) (int, any, error) {
	rows, err := q.tx.Query(q.Context(), `select * from users order by id`)
	if err != nil {
		return 0, nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[User])
	return 200, all, err
}

func patchUser(q *request) (int, any, error) {
	id, _ := strconv.ParseInt(q.PathValue("user"), 10, 64)
	var b struct {
		Role     *string
		Disabled *bool
	}
	if err := q.body(&b); err != nil || b.Role != nil && *b.Role != "admin" && *b.Role != "customer" {
		return 0, nil, errBad
	}
	var u User
	err := q.get(&u, errNothing, `
		update users set role = coalesce($2, role), disabled = coalesce($3, disabled) where id = $1 returning *`, id, b.Role, b.Disabled)
	return 200, u, err
}
