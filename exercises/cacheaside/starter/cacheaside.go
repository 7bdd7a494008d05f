// Package cacheaside serves the products of a shop.
package cacheaside

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

var (
	errProduct  = errors.New("name.en, name.de and a price above zero are needed")
	errLanguage = errors.New("lang must be en or de")
	errUnknown  = errors.New("no such product")
)

type service struct {
	pool         *pgxpool.Pool
	redis        *redis.Client // not used yet
	ttl, missTTL time.Duration // not used yet
}

// New connects to the database and returns the shop's routes. What Redis holds of
// a product lives for ttl at most, and of one that does not exist for missTTL.
func New(ctx context.Context, databaseURL, redisURL string, ttl, missTTL time.Duration) (http.Handler, error) {
	options, err := redis.ParseURL(redisURL)
	if err != nil {
		return nil, fmt.Errorf("read REDIS_URL: %w", err)
	}
	pool, err := pgxpool.New(ctx, databaseURL)
	if err != nil {
		return nil, fmt.Errorf("make the connection pool: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	s := &service{pool: pool, redis: redis.NewClient(options), ttl: ttl, missTTL: missTTL}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /products/{sku}", s.getProduct)
	mux.HandleFunc("PUT /products/{sku}", s.putProduct)
	mux.HandleFunc("DELETE /products/{sku}", s.deleteProduct)
	return mux, nil
}

// page is a product as a customer sees it, in one language.
type page struct {
	SKU   string `json:"sku"`
	Lang  string `json:"lang"`
	Name  string `json:"name"`
	Price int64  `json:"price"`
}

// product is what the shop's office sends.
type product struct {
	Name struct {
		En string `json:"en"`
		De string `json:"de"`
	} `json:"name"`
	Price int64 `json:"price"`
}

// find returns a page. It returns errUnknown when there is no such product.
func (s *service) find(ctx context.Context, sku, lang string) (*page, error) {
	p, err := s.read(ctx, sku, lang)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, errUnknown
	}
	return p, nil
}

// read returns a page from PostgreSQL, nil when there is no such product.
func (s *service) read(ctx context.Context, sku, lang string) (*page, error) {
	column := "name_en"
	if lang == "de" {
		column = "name_de"
	}
	p := &page{SKU: sku, Lang: lang}
	err := s.pool.QueryRow(ctx,
		`select `+column+`, price from products where sku = $1`, sku).Scan(&p.Name, &p.Price)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the product: %w", err)
	}
	return p, nil
}

// store writes a product and notes its price, both or neither.
func (s *service) store(ctx context.Context, sku string, p product) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			insert into products (sku, name_en, name_de, price) values ($1, $2, $3, $4)
			on conflict (sku) do update
			set name_en = $2, name_de = $3, price = $4`,
			sku, p.Name.En, p.Name.De, p.Price)
		if err != nil {
			return fmt.Errorf("write the product: %w", err)
		}
		_, err = tx.Exec(ctx,
			`insert into price_changes (sku, price) values ($1, $2)`, sku, p.Price)
		if err != nil {
			return fmt.Errorf("note the price: %w", err)
		}
		return nil
	})
}

// remove deletes a product. It returns errUnknown when there is none.
func (s *service) remove(ctx context.Context, sku string) error {
	tag, err := s.pool.Exec(ctx, `delete from products where sku = $1`, sku)
	if err != nil {
		return fmt.Errorf("delete the product: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errUnknown
	}
	return nil
}

func (s *service) getProduct(w http.ResponseWriter, r *http.Request) {
	lang := r.URL.Query().Get("lang")
	switch lang {
	case "":
		lang = "en"
	case "en", "de":
	default:
		writeError(w, r, errLanguage)
		return
	}
	p, err := s.find(r.Context(), r.PathValue("sku"), lang)
	if err != nil {
		writeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, p)
}

func (s *service) putProduct(w http.ResponseWriter, r *http.Request) {
	var p product
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
	if err := d.Decode(&p); err != nil || p.Name.En == "" || p.Name.De == "" || p.Price <= 0 {
		writeError(w, r, errProduct)
		return
	}
	if err := s.store(r.Context(), r.PathValue("sku"), p); err != nil {
		writeError(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *service) deleteProduct(w http.ResponseWriter, r *http.Request) {
	if err := s.remove(r.Context(), r.PathValue("sku")); err != nil {
		writeError(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// writeError answers with the status that err stands for. What the caller can
// do nothing about goes to the log and not to the caller.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, errProduct), errors.Is(err, errLanguage):
		status = http.StatusBadRequest
	case errors.Is(err, errUnknown):
		status = http.StatusNotFound
	default:
		slog.ErrorContext(r.Context(), "request failed",
			"method", r.Method, "path", r.URL.Path, "error", err)
		err = errors.New("internal error")
	}
	writeJSON(w, status, map[string]string{"error": err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
