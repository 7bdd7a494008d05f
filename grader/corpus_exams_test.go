package grader_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/services"
)

// corpusExercises are the exercises that the corpus is graded against: small, and
// with the examiner looking from every side that it has.
var corpusExercises = map[string]func() grader.Exercise{
	"echo":    echo,
	"adder":   adder,
	"counter": counter,
	"hits":    hits,
	"gate":    gateExercise,
	"judge":   judge,
}

// startsHandler is a program that serves what New of the package returns.
func startsHandler(id string) []byte {
	return []byte(strings.ReplaceAll(`package main

import (
	"log"
	"net"
	"net/http"
	"os"

	"github.com/cairn-learn/cairn/exercises/ID"
)

func main() {
	log.Fatal(http.ListenAndServe(net.JoinHostPort(os.Getenv("HOST"), os.Getenv("PORT")), ID.New()))
}
`, "ID", id))
}

// program is an exercise of which the learner writes one file.
func program(id, title string, declare func(*exam.X)) grader.Exercise {
	e := grader.Exercise{
		ID: id, Title: title, Edit: []string{id + ".go"}, Exam: declare,
		Given: map[string][]byte{"program/main.go": startsHandler(id)},
		GoMod: []byte("module github.com/cairn-learn/cairn/exercises\n\ngo 1.26\n"),
	}
	return e
}

// withModules gives an exercise the modules of the learner's workspace.
func withModules(e grader.Exercise) grader.Exercise {
	for name, dest := range map[string]*[]byte{"go.mod": &e.GoMod, "go.sum": &e.GoSum} {
		data, err := os.ReadFile(filepath.Join("../exercises/workspace", name+".tmpl"))
		if err != nil {
			panic(err)
		}
		*dest = data
	}
	return e
}

// giving adds to an exercise the files that testdata/given.txtar has for it.
func giving(e grader.Exercise) grader.Exercise {
	archive, err := txtar.ParseFile("testdata/given.txtar")
	if err != nil {
		panic(err)
	}
	for _, f := range archive.Files {
		if name, ok := strings.CutPrefix(f.Name, e.ID+"/"); ok {
			e.Given[name] = f.Data
		}
	}
	return withModules(e)
}

const whyEcho = "Callers depend on it."

// echo wants the text of a request back. The learner writes a handler.
func echo() grader.Exercise {
	return program("echo", "An echo", func(x *exam.X) {
		x.Check("echo", "answers with the text that was sent", func(c *exam.C) {
			text := c.Words(3)
			c.Equal(string(c.Post("/echo", text).Body), text, "the answer")
		}, exam.Why(whyEcho), exam.Read("x/echo#why"))
		x.Check("again", "does so again", func(c *exam.C) {
			text := c.Unique("again")
			c.Equal(string(c.Post("/echo", text).Body), text, "the answer")
		}, exam.After("echo"), exam.Why(whyEcho))
	})
}

// adder wants numbers added, a 404 and a large body. The learner writes the whole
// program.
func adder() grader.Exercise {
	e := program("adder", "An adder", func(x *exam.X) {
		x.Check("sum", "adds", func(c *exam.C) {
			for range 3 {
				a, b := c.Int(1, 1_000_000), c.Int(1, 1_000_000)
				r := c.Post("/sum", map[string]int{"a": a, "b": b}).Want(http.StatusOK).WantType("application/json")
				c.Equal(r.Object()["sum"], a+b, "the sum")
			}
		}, exam.Why("A sum that is wrong is somebody's money."))
		x.Check("unknown", "answers 404 where nothing is", func(c *exam.C) {
			c.Get("/" + c.Unique("nothing")).Want(http.StatusNotFound)
		}, exam.Why("A client tells a wrong address from a right one by the status."))
		x.Check("large", "answers with as many bytes as asked for", func(c *exam.C) {
			n := c.Int(1, 3) << 20
			r := c.Get(fmt.Sprintf("/large/%d", n)).Want(http.StatusOK)
			c.Equal(len(r.Body), n, "the number of bytes")
		}, exam.Why("Half an answer is none."))
	})
	e.Edit, e.Given = []string{"program/main.go"}, nil
	return withModules(e)
}

// counter wants rows counted up, in both directions: the program reads what the
// examiner wrote, and the examiner what the program wrote.
func counter() grader.Exercise {
	why := exam.Why("A number that nobody stored is gone with the program.")
	e := program("counter", "A counter", func(x *exam.X) {
		x.Check("reads", "answers with the number in the table", func(c *exam.C) {
			id, n := c.Unique("counter"), c.Int(10, 99)
			c.DB().Exec("insert into counters (id, n) values ($1, $2)", id, n)
			c.Equal(strings.TrimSpace(string(c.Get("/counters/"+id).Want(http.StatusOK).Body)), strconv.Itoa(n), "the number")
		}, why)
		x.Check("counts", "counts in the table", func(c *exam.C) {
			id, n, more := c.Unique("counter"), c.Int(10, 99), c.Int(2, 4)
			c.DB().Exec("insert into counters (id, n) values ($1, $2)", id, n)
			for range more {
				c.Post("/counters/"+id, nil).Want(http.StatusOK)
			}
			c.Equal(c.DB().Int("select n from counters where id = $1", id), n+more, "the number in the table")
			c.Equal(c.DB().Int("select count(*) from counters where id = $1", id), 1, "the number of rows")
		}, why)
		x.Check("both", "counts both of two at once", func(c *exam.C) {
			id, n := c.Unique("counter"), c.Int(10, 99)
			c.DB().Exec("insert into counters (id, n) values ($1, $2)", id, n)
			c.Barrier(2, "counters")
			c.Burst(2, func(int) { c.Post("/counters/"+id, nil).Want(http.StatusOK) })
			c.Equal(c.DB().Int("select n from counters where id = $1", id), n+2, "the number in the table")
		}, exam.After("counts"), why)
	})
	e.Fixture = &services.Fixture{Name: "counter", SQL: "create table counters (id varchar(40) primary key, n int not null)"}
	return giving(e)
}

// hits is counter with Redis.
func hits() grader.Exercise {
	why := exam.Why("A number that nobody stored is gone with the program.")
	e := program("hits", "A tally", func(x *exam.X) {
		x.Check("reads", "answers with the number under the key", func(c *exam.C) {
			key, n := c.Unique("page"), c.Int(10, 99)
			c.Redis().Do("SET", "hits:"+key, n)
			c.Equal(strings.TrimSpace(string(c.Get("/hits/"+key).Want(http.StatusOK).Body)), strconv.Itoa(n), "the number")
		}, why)
		x.Check("counts", "counts under the key", func(c *exam.C) {
			key, n, more := c.Unique("page"), c.Int(10, 99), c.Int(2, 4)
			c.Redis().Do("SET", "hits:"+key, n)
			for range more {
				c.Post("/hits/"+key, nil).Want(http.StatusOK)
			}
			c.Equal(c.Redis().Int("GET", "hits:"+key), n+more, "the number under the key")
		}, why)
	})
	e.Redis = &services.RedisFixture{Name: "hits"}
	return giving(e)
}
