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
	"strconv"
	"strings"
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
	// mark begins every entry. Another form of entry needs another one.
	mark = "page2 "
	// leaseTime is how long a reader may take to bring what it has found.
	leaseTime = 400 * time.Millisecond
)

var (
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

// ask returns what is cached, or else takes a lease: who has it may bring what it
// finds in PostgreSQL. A change takes the lease away, so that a reader that was
// under way meanwhile brings nothing.
var ask = redis.NewScript(`
if redis.call('TYPE', KEYS[1]).ok ~= 'string' then
	redis.call('DEL', KEYS[1])
end
local page = redis.call('GET', KEYS[1])
if not page or string.sub(page, 1, #ARGV[3]) ~= ARGV[3] then
	redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
	return ''
end
return page
`)

// bring stores a page for whoever still has the lease.
var bring = redis.NewScript(`
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
	return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
return 1
`)

func keys(sku, lang string) []string {
	key := "product:" + sku + ":" + lang
	return []string{key, key + ":lease"}
}

// find returns a page as JSON, nil when there is no such product.
func (s *service) find(ctx context.Context, sku, lang string) ([]byte, error) {
	lease := strconv.FormatUint(rand.Uint64(), 36)
	limited, cancel := context.WithTimeout(ctx, patience)
	cached, askErr := ask.Run(limited, s.redis, keys(sku, lang), lease, leaseTime.Milliseconds(), mark).Text()
	cancel()
	if body, ok := strings.CutPrefix(cached, mark); ok && askErr == nil {
		return []byte(body), nil
	}
	p, err := s.read(ctx, sku, lang)
	if err != nil {
		return nil, err
	}
	var body []byte
	ttl := s.missTTL
	if p != nil {
		body, _ = json.Marshal(p)
		ttl = s.ttl
	}
	if askErr != nil {
		slog.Warn("no cache", "error", askErr)
		return body, nil
	}
	limited, cancel = context.WithTimeout(ctx, patience)
	defer cancel()
	ttl = ttl*3/4 + time.Duration(rand.Float64()*float64(ttl/4))
	err = bring.Run(limited, s.redis, keys(sku, lang), lease, mark+string(body), ttl.Milliseconds()).Err()
	if err != nil {
		slog.Warn("no cache", "error", err)
	}
	return body, nil
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

// forget drops all that the cache knows of a product.
func (s *service) forget(ctx context.Context, sku string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.redis.Del(ctx, append(keys(sku, "en"), keys(sku, "de")...)...).Err()
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
	if len(p) == 0 {
		writeError(w, r, errUnknown)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(p)
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
