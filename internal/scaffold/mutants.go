package scaffold

// mutant is a wrong version: the solution with some of its text replaced.
type mutant struct {
	name, check, mistake string
	replace              [][2]string
}

// mutants are mistakes that people really make in a service as small as this.
func (d data) mutants() []mutant {
	all := []mutant{
		{"one-name", "hello", "The answer of the example, whatever the request says.", [][2]string{
			{`map[string]any{"hello": name}`, `map[string]any{"hello": "ada"}`},
		}},
		{"plain-text", "hello", "JSON that is not said to be JSON.", [][2]string{
			{"	w.Header().Set(\"Content-Type\", \"application/json\")\n", ""},
		}},
		{"greets-nobody", "nameless", "Nobody thought of the request without a name.", [][2]string{
			{"	if name == \"\" {\n		fail(w, http.StatusBadRequest, \"the name is missing\")\n		return\n	}\n", ""},
		}},
		{"our-fault", "nameless", "The client's mistake is answered with 500, as if it were the service's.", [][2]string{
			{`fail(w, http.StatusBadRequest, "the name is missing")`, `fail(w, http.StatusInternalServerError, "the name is missing")`},
		}},
		{"text-error", "nameless", "http.Error, and so an error in plain text between answers in JSON.", [][2]string{
			{`fail(w, http.StatusBadRequest, "the name is missing")`, `http.Error(w, "the name is missing", http.StatusBadRequest)`},
		}},
	}
	if d.Postgres {
		all = append(all,
			mutant{"any-row", "note", "The statement lost its condition, and answers with the first row there is.", [][2]string{
				{"`select text from notes where id::text = $1`, r.PathValue(\"id\")", "`select text from notes order by id limit 1`"},
			}},
			mutant{"no-row-is-trouble", "no-note", "pgx.ErrNoRows is an error, and every error is answered with 500.", [][2]string{
				{"	if errors.Is(err, pgx.ErrNoRows) {\n		fail(w, http.StatusNotFound, \"there is no such note\")\n		return\n	}\n", ""},
				{"	\"errors\"\n", ""},
				{"	\"github.com/jackc/pgx/v5\"\n", ""},
			}},
		)
	}
	if d.Redis {
		all = append(all, mutant{"one-count", "visits", "One key for all names.", [][2]string{
			{`"visits:"+r.PathValue("name")`, `"visits"`},
		}}, mutant{"own-name", "visits", "Each instance puts its port into the key, to be on the safe side.", [][2]string{
			{`"visits:"+r.PathValue("name")`, `"visits:"+os.Getenv("PORT")+":"+r.PathValue("name")`},
			{"	\"net/http\"\n", "	\"net/http\"\n	\"os\"\n"},
		}})
	}
	return all
}
