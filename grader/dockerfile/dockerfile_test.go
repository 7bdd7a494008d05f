package dockerfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func parse(t *testing.T, source string) *File {
	t.Helper()
	f, wrong := Parse("Dockerfile", []byte(source))
	if f == nil {
		t.Fatalf("%+v", wrong)
	}
	return f
}

func places(all []Place) string {
	var b strings.Builder
	for _, p := range all {
		fmt.Fprintf(&b, "%d %s; ", p.Line, p.What)
	}
	return strings.TrimSuffix(b.String(), "; ")
}

const long = `ARG GO=1.26
FROM golang:${GO} AS Build
WORKDIR /src
COPY . .
RUN go vet ./... && \
    # a comment between
    go build -o /app .

FROM build AS test
RUN go test ./...

FROM scratch
COPY --from=BUILD /app /app
COPY --from=0 /etc/passwd /etc/
COPY --from=nginx:1 /x /x
CMD /app
`

func TestWhatItBeginsWith(t *testing.T) {
	f := parse(t, long)
	if got := places(f.Images()); got != "2 golang:1.26; 15 nginx:1" {
		t.Error(got)
	}
	if f.Stages[0].Name != "build" || f.Last().Base != "scratch" || len(f.Stages) != 3 {
		t.Errorf("%+v", f.Stages)
	}
	if c := f.Last().Find("CMD"); len(c) != 1 || !c[0].Shell() || c[0].Line != 16 {
		t.Errorf("%+v", c)
	}
	if got := f.Line("RUN go vet ./... &&     go build -o /app ."); got != 5 {
		t.Errorf("the builder's own words are found at line %d", got)
	}
}

func TestWhatTheImageComesOf(t *testing.T) {
	f := parse(t, "FROM golang:1.26 AS a\nENV A=b\nFROM scratch AS b\nFROM A\nRUN x \\\n  y\nCMD z\n")
	var got []string
	for _, i := range f.Image() {
		got = append(got, fmt.Sprint(i.Line, " ", i.Text))
	}
	if all := strings.Join(got, "; "); all != "1 FROM golang:1.26 AS a; 2 ENV A=b; 4 FROM A; 5 RUN x y; 7 CMD z" || f.Base() != "golang:1.26" {
		t.Error(all, f.Base())
	}
	if base := parse(t, "FROM x\nFROM scratch\nCOPY a b").Base(); base != "scratch" {
		t.Error(base)
	}
}

func TestWithAnInstruction(t *testing.T) {
	f := parse(t, "# x\r\nFROM scratch \\\r\n  AS a\r\nFROM a")
	if got, want := string(f.With("LABEL a=b")), "# x\nFROM scratch \\\n  AS a\nLABEL a=b\nFROM a\nLABEL a=b"; got != want {
		t.Errorf("%q", got)
	}
	again := parse(t, string(parse(t, long).With("LABEL a=b")))
	for _, s := range again.Stages {
		if s.Instructions[0].Text != "LABEL a=b" {
			t.Errorf("%+v", s)
		}
	}
}

func TestBeyond(t *testing.T) {
	f := parse(t, `# syntax=docker/dockerfile:1
FROM --platform=$BUILDPLATFORM golang:1.26 AS a
RUN --mount=type=cache,target=/c go build
COPY --link --chown=1:1 a b
ADD --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000000 https://example.com/x /x
RUN <<EOF
echo
EOF
COPY <<END /file
x
END
HEALTHCHECK --start-interval=1s CMD ["/a"]
HEALTHCHECK --interval=1s CMD ["/a"]
`)
	if got, want := places(f.Beyond()), "1 the line # syntax=docker/dockerfile:1; 2 FROM --platform; 3 RUN --mount; 4 COPY --link; 5 ADD --checksum; 6 RUN <<EOF; 9 COPY <<END; 12 HEALTHCHECK --start-interval"; got != want {
		t.Error(got)
	}
	if got := places(f.Fetched()); got != "5 https://example.com/x" {
		t.Error(got)
	}
	if got := places(parse(t, long).Beyond()); got != "" {
		t.Error(got)
	}
}

func TestFetched(t *testing.T) {
	f := parse(t, "FROM scratch\nADD a.tar git@github.com:x/y.git /\nADD github.com/x/y /\nADD $WHAT /\nADD https.txt /\n")
	if got := places(f.Fetched()); got != "2 git@github.com:x/y.git; 3 github.com/x/y; 4 $WHAT" {
		t.Error(got)
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	for source, want := range map[string]string{
		"":                                 "0 file with no instructions",
		"# nothing\n":                      "1 file with no instructions",
		"RUN true\n":                       "1 no build stage in current context",
		"FROM scratch\nCOPPY a b\nRNU x\n": "2 COPPY is no instruction; 3 RNU is no instruction",
		"FROM scratch\nCOPY a\n":           "2 COPY requires at least two arguments, but only one was provided. Destination could not be determined",
		"FROM\n":                           "1 FROM requires either one or three arguments",
		"FROM ${X}\n":                      "1 FROM ${X} names no image: the variable has no value here",
		"ARG X\nFROM a$X\nFROM $X\n":       "3 FROM $X names no image: the variable has no value here",
		"FROM scratch\nENTRYPOINT\n":       "",
		"FROM scratch\nRUN <<EOF\nx\n":     "2 unterminated heredoc",
	} {
		_, wrong := Parse("Dockerfile", []byte(source))
		var got []string
		for _, d := range wrong {
			got = append(got, fmt.Sprintf("%d %s", d.Line, d.Message))
		}
		if all := strings.Join(got, "; "); all != want {
			t.Errorf("%q:\n got %s\nwant %s", source, all, want)
		}
	}
}

func TestContext(t *testing.T) {
	files := map[string][]byte{"Dockerfile": nil, "go.mod": nil, "main.go": nil, ".env": nil, ".git/config": nil, "docs/a.md": nil, "docs/b.txt": nil}
	for ignore, want := range map[string]string{
		"":                            ".dockerignore .env .git/config Dockerfile docs/a.md docs/b.txt go.mod main.go",
		".env\n.git\n**/*.md\n":       ".dockerignore Dockerfile docs/b.txt go.mod main.go",
		"# all\n*\n!*.go\n!/go.mod\n": ".dockerignore Dockerfile go.mod main.go",
		"docs\n!docs/b.txt\n.git/*":   ".dockerignore .env Dockerfile docs/b.txt go.mod main.go",
	} {
		files[".dockerignore"] = []byte(ignore)
		kept, err := Context(files)
		if got := strings.Join(slices.Sorted(maps.Keys(kept)), " "); err != nil || got != want {
			t.Errorf("%q: %s, %v, want %s", ignore, got, err, want)
		}
	}
	files[".dockerignore"] = []byte("[a\n")
	if _, err := Context(files); err == nil {
		t.Error("a broken pattern was taken")
	}
}

// Whatever the file holds, it is read or refused, with lines that it has.
func FuzzParse(f *testing.F) {
	f.Add(long)
	f.Add("FROM scratch\nRUN <<E\nE\nONBUILD RUN true\nHEALTHCHECK NONE\nSHELL [\"a\"]")
	f.Fuzz(func(t *testing.T, source string) {
		file, wrong := Parse("Dockerfile", []byte(source))
		if (file == nil) == (len(wrong) == 0) {
			t.Fatalf("%v, %+v", file, wrong)
		}
		if file != nil {
			_, _, _ = file.Images(), file.Beyond(), file.Fetched()
			_ = file.With("LABEL a=b")
		}
	})
}
