package claimsdesk

import (
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"
)

// selfView is what users learn of themselves.
type selfView struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Role  string `json:"role"`
}

func (s *service) showMe(_ *http.Request, me user) (int, any, error) {
	return http.StatusOK, selfView(me), nil
}

// renameMe changes the name, which is all that users may change of themselves.
func (s *service) renameMe(r *http.Request, me user) (int, any, error) {
	var in struct {
		Name string `json:"name"`
	}
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	if !between(in.Name, 1, 100) {
		return 0, nil, bad("name has 1 to 100 characters")
	}
	_, err := s.pool.Exec(r.Context(), `update users set name = $2 where id = $1`, me.ID, in.Name)
	me.Name = in.Name
	return http.StatusOK, selfView(me), err
}

func (s *service) overview(r *http.Request, _ user) (int, any, error) {
	var users, claims int
	err := s.pool.QueryRow(r.Context(), `
		select (select count(*) from users), (select count(*) from claims)`).Scan(&users, &claims)
	return http.StatusOK, map[string]int{"users": users, "claims": claims}, err
}

// userView is what admins learn of a user.
type userView struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	Role     string `json:"role"`
	Disabled bool   `json:"disabled"`
}

func (s *service) listUsers(r *http.Request, _ user) (int, any, error) {
	rows, err := s.pool.Query(r.Context(), `
		select id, name, email, role, disabled from users order by id`)
	if err != nil {
		return 0, nil, fmt.Errorf("list the users: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[userView])
	return http.StatusOK, all, err
}

func (s *service) changeUser(r *http.Request, _ user) (int, any, error) {
	id, err := number(r, "id")
	if err != nil {
		return 0, nil, err
	}
	var in struct {
		Role     *string `json:"role"`
		Disabled *bool   `json:"disabled"`
	}
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	if in.Role != nil && *in.Role != "customer" && *in.Role != "admin" {
		return 0, nil, bad("role is customer or admin")
	}
	rows, err := s.pool.Query(r.Context(), `
		update users set role = coalesce($2, role), disabled = coalesce($3, disabled)
		where id = $1
		returning id, name, email, role, disabled`, id, in.Role, in.Disabled)
	changed, err := one[userView](rows, err, errMissing)
	return http.StatusOK, changed, err
}
