// Package cacheaside serves the products of a shop, from a cache where it can.
package cacheaside

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
)

// wait bounds each thing that Redis is waited for.
const wait = 200 * time.Millisecond

var (
	errProduct  = errors.New("name.en, name.de and a price above zero are needed")
	errLanguage = errors.New("lang must be en or de")
	errUnknown  = errors.New("no such product")
)

type service struct {
	db           *sql.DB
	redis        *redis.Client
	ttl, missTTL time.Duration
}

// New connects to the database and returns the shop's routes. What Redis holds of
// a product lives for ttl at most, and of one that does not exist for missTTL. New
// does not connect to Redis: the shop works without it.
func New(ctx context.Context, databaseURL, redisURL string, ttl, missTTL time.Duration) (http.Handler, error) {
	options, err := redis.ParseURL(redisURL)
	if err != nil {
		return nil, fmt.Errorf("read REDIS_URL: %w", err)
	}
	options.MaxRetries = -1
	options.DialTimeout = wait
	options.ReadTimeout = wait
	options.WriteTimeout = wait
	options.PoolTimeout = wait
	db, err := sql.Open("pgx", databaseURL)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	if err := db.PingContext(ctx); err != nil {
		return nil, err
	}
	s := &service{db: db, redis: redis.NewClient(options), ttl: ttl, missTTL: missTTL}
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

// find returns a page from the cache, or else from PostgreSQL. A product has one
// key for all languages, a hash; "gone" stands in it where there is no product.
func (s *service) find(ctx context.Context, sku, lang string) (*page, error) {
	key := "product:" + sku
	fields, err := s.redis.HGetAll(ctx, key).Result()
	alive := err == nil || strings.HasPrefix(err.Error(), "WRONGTYPE")
	if price, err := strconv.ParseInt(fields["price"], 10, 64); err == nil {
		return &page{SKU: sku, Lang: lang, Name: fields["name_"+lang], Price: price}, nil
	}
	if fields["gone"] == "yes" {
		return nil, errUnknown
	}
	row := map[string]any{}
	var en, de string
	var price int64
	ttl := s.ttl
	err = s.db.QueryRowContext(ctx,
		`select name_en, name_de, price from products where sku = $1`, sku).Scan(&en, &de, &price)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		row["gone"], ttl = "yes", s.missTTL
	case err != nil:
		return nil, err
	default:
		row["name_en"], row["name_de"], row["price"] = en, de, price
	}
	if alive {
		ttl = ttl*4/5 + rand.N(ttl/5)
		_, err := s.redis.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Del(ctx, key)
			p.HSet(ctx, key, row)
			p.PExpire(ctx, key, ttl)
			return nil
		})
		if err != nil {
			slog.Warn("cache", "error", err)
		}
	}
	if row["gone"] != nil {
		return nil, errUnknown
	}
	name := en
	if lang == "de" {
		name = de
	}
	return &page{SKU: sku, Lang: lang, Name: name, Price: price}, nil
}

// store writes a product and its price in one statement, which is a transaction.
func (s *service) store(ctx context.Context, sku string, p product) error {
	defer s.forget(sku)
	_, err := s.db.ExecContext(context.WithoutCancel(ctx), `
		with written as (
			insert into products (sku, name_en, name_de, price) values ($1, $2, $3, $4)
			on conflict (sku) do update set name_en = $2, name_de = $3, price = $4
			returning sku, price)
		insert into price_changes (sku, price) select sku, price from written`,
		sku, p.Name.En, p.Name.De, p.Price)
	return err
}

func (s *service) remove(ctx context.Context, sku string) error {
	defer s.forget(sku)
	result, err := s.db.ExecContext(context.WithoutCancel(ctx),
		`delete from products where sku = $1`, sku)
	if err != nil {
		return err
	}
	if n, _ := result.RowsAffected(); n == 0 {
		return errUnknown
	}
	return nil
}

func (s *service) forget(sku string) {
	if err := s.redis.Unlink(context.Background(), "product:"+sku).Err(); err != nil {
		slog.Error("cache", "error", err)
	}
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
