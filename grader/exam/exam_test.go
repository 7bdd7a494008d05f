package exam

import (
	"strings"
	"testing"
)

func TestDeclare(t *testing.T) {
	nothing := func(*C) {}
	tests := []struct {
		name string
		exam func(*X)
		want string // part of the error, "" for none
	}{
		{"one check", func(x *X) { x.Check("works", "works", nothing) }, ""},
		{"after the built-in one", func(x *X) { x.Check("works", "works", nothing, After(StartsID)) }, ""},
		{"no check", func(x *X) {}, "declares no check"},
		{"repeated", func(x *X) { x.Check("a", "a", nothing); x.Check("a", "a", nothing) }, "declared twice"},
		{"built-in id", func(x *X) { x.Check(StartsID, "a", nothing) }, "declared twice"},
		{"bad id", func(x *X) { x.Check("Not So", "a", nothing) }, "lowercase words"},
		{"no title", func(x *X) { x.Check("a", "", nothing) }, "no title"},
		{"after a later one", func(x *X) { x.Check("a", "a", nothing, After("b")); x.Check("b", "b", nothing) }, "not declared before"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Declare(tt.exam)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestRandomDataFollowsSeedAndCheck(t *testing.T) {
	draw := func(seed uint64, id string) uint64 { return newRand(seed, id).Uint64() }
	first, again := draw(1, "a"), draw(1, "a")
	if first != again {
		t.Error("the same seed and check draw different data")
	}
	if draw(1, "a") == draw(2, "a") || draw(1, "a") == draw(1, "b") {
		t.Error("another seed or check draws the same data")
	}
}

func TestGroupsOverlapOnlyWhenDeclared(t *testing.T) {
	nothing := func(*C) {}
	x, err := Declare(func(x *X) {
		x.Check("a", "a", nothing, Parallel())
		x.Check("b", "b", nothing, Parallel())
		x.Check("c", "c", nothing, Parallel(), After("b"))
		x.Check("d", "d", nothing)
		x.Check("e", "e", nothing, Parallel())
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, group := range (&Session{x: x}).groups() {
		var ids []string
		for _, sp := range group {
			ids = append(ids, sp.id)
		}
		got = append(got, strings.Join(ids, "+"))
	}
	if want := "a+b c d e"; strings.Join(got, " ") != want {
		t.Errorf("groups %v, want %s", got, want)
	}
}
