package claimsdesk

import (
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"
)

func (s *service) showMe(_ *http.Request, me user) (int, any, error) {
	return http.StatusOK, me, nil
}

// renameMe changes what the caller sends of themselves; absent fields stay.
func (s *service) renameMe(r *http.Request, me user) (int, any, error) {
	if err := decode(r, &me); err != nil {
		return 0, nil, err
	}
	if !between(me.Name, 1, 100) {
		return 0, nil, bad("name has 1 to 100 characters")
	}
	return s.storeUser(r, me)
}

// storeUser writes a user as it is now.
func (s *service) storeUser(r *http.Request, u user) (int, any, error) {
	_, err := s.pool.Exec(r.Context(), `
		update users set name = $2, email = $3, role = $4, disabled = $5
		where id = $1`, u.ID, u.Name, u.Email, u.Role, u.Disabled)
	return http.StatusOK, u, err
}

func (s *service) overview(r *http.Request, _ user) (int, any, error) {
	var users, claims int
	err := s.pool.QueryRow(r.Context(), `
		select (select count(*) from users), (select count(*) from claims)`).Scan(&users, &claims)
	return http.StatusOK, map[string]int{"users": users, "claims": claims}, err
}

func (s *service) listUsers(r *http.Request, _ user) (int, any, error) {
	rows, err := s.pool.Query(r.Context(), `
		select id, name, email, role, disabled from users order by id`)
	if err != nil {
		return 0, nil, fmt.Errorf("list the users: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[user])
	return http.StatusOK, all, err
}

func (s *service) changeUser(r *http.Request, _ user) (int, any, error) {
	id, err := number(r, "id")
	if err != nil {
		return 0, nil, err
	}
	rows, err := s.pool.Query(r.Context(), `
		select id, name, email, role, disabled from users where id = $1`, id)
	u, err := one[user](rows, err, errMissing)
	if err != nil {
		return 0, nil, err
	}
	if err := decode(r, &u); err != nil {
		return 0, nil, err
	}
	if u.Role != "customer" && u.Role != "admin" {
		return 0, nil, bad("role is customer or admin")
	}
	return s.storeUser(r, u)
}
