// Package cacheaside serves the products of a shop, from a cache where it can.
package cacheaside

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

const (
	// patience is how long Redis may take for a command, all attempts together.
	patience = 250 * time.Millisecond
	// storeTime is how long PostgreSQL may take for a change.
	storeTime = 5 * time.Second
	// format is the version of what entry looks like. Change both together.
	format = 2
)

var (
	languages = []string{"en", "de"}

	errProduct  = errors.New("name.en, name.de and a price above zero are needed")
	errLanguage = errors.New("lang must be en or de")
	errUnknown  = errors.New("no such product")
)

type service struct {
	pool         *pgxpool.Pool
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
	// Without this the deadline of a context bounds the wait for a connection,
	// and not the one for an answer.
	options.ContextTimeoutEnabled = true
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

// find returns a page from the cache, or else from PostgreSQL, and then leaves it
// in the cache. It returns errUnknown when there is no such product.
func (s *service) find(ctx context.Context, sku, lang string) (*page, error) {
	p, found, cacheErr := s.recall(ctx, sku, lang)
	if !found {
		var err error
		if p, err = s.read(ctx, sku, lang); err != nil {
			return nil, err
		}
		if cacheErr == nil {
			cacheErr = s.remember(ctx, sku, lang, p)
		}
	}
	if cacheErr != nil {
		slog.WarnContext(ctx, "cannot use the cache", "sku", sku, "error", cacheErr)
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
	return s.change(ctx, sku, func(ctx context.Context, tx pgx.Tx) error {
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
	return s.change(ctx, sku, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `delete from products where sku = $1`, sku)
		if err != nil {
			return fmt.Errorf("delete the product: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return errUnknown
		}
		return nil
	})
}

// change runs do in a transaction, and drops from the cache what it knows of the
// product once the transaction has ended. How it ended does not matter: a COMMIT
// whose answer was lost may have succeeded, and a page dropped without need costs
// one read. A client that hangs up stops neither of the two.
func (s *service) change(ctx context.Context, sku string, do func(context.Context, pgx.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return do(ctx, tx) })
	if dropErr := s.forget(context.WithoutCancel(ctx), sku); dropErr != nil {
		slog.ErrorContext(ctx, "cannot drop a page from the cache, it may stay for a while",
			"sku", sku, "ttl", s.ttl, "error", dropErr)
	}
	return err
}

// entry is what the cache holds under a key.
type entry struct {
	Format int   `json:"format"`
	Page   *page `json:"page"` // null: there is no such product
}

func key(sku, lang string) string { return "product:" + sku + ":" + lang }

// recall asks the cache. A page that is nil and found is known not to exist. What
// is no entry of this format counts as nothing.
func (s *service) recall(ctx context.Context, sku, lang string) (p *page, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	data, err := s.redis.Get(ctx, key(sku, lang)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	var e entry
	if err := json.Unmarshal(data, &e); err != nil || e.Format != format {
		return nil, false, nil
	}
	return e.Page, true, nil
}

// remember leaves a page in the cache, or that there is none.
func (s *service) remember(ctx context.Context, sku, lang string, p *page) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	data, err := json.Marshal(entry{Format: format, Page: p})
	if err != nil {
		return err
	}
	ttl := s.ttl
	if p == nil {
		ttl = s.missTTL
	}
	return s.redis.Set(ctx, key(sku, lang), data, jitter(ttl)).Err()
}

// jitter takes up to a fifth off, so that what was read together does not expire
// together.
func jitter(ttl time.Duration) time.Duration { return ttl - rand.N(ttl/5) }

// forget drops all that the cache knows of a product.
func (s *service) forget(ctx context.Context, sku string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	keys := make([]string, len(languages))
	for i, lang := range languages {
		keys[i] = key(sku, lang)
	}
	return s.redis.Del(ctx, keys...).Err()
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
