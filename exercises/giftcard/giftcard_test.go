package giftcard_test

import (
	"errors"
	"testing"

	"github.com/cairn-learn/cairn/exercises/giftcard"
)

// Each row that is refused is a right number with one thing wrong, so that nothing else can be why.
func TestParse(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want string
		err  error
	}{
		{name: "digits alone", in: "739201840657", want: "739201840657"},
		{name: "groups with spaces", in: "7392 0184 0657", want: "739201840657"},
		{name: "groups with hyphens", in: "7392-0184-0657", want: "739201840657"},
		{name: "separators anywhere", in: "7-39201 840-657", want: "739201840657"},
		{name: "spaces around", in: "  739201840657 ", want: "739201840657"},
		{name: "leading zeros", in: "004817263504", want: "004817263504"},
		{name: "check digit 0", in: "937424692590", want: "937424692590"},

		{name: "empty", in: "", err: giftcard.ErrLength},
		{name: "thirteen digits", in: "7392018406570", err: giftcard.ErrLength},
		{name: "last digit missing", in: "73920184065", err: giftcard.ErrLength},
		{name: "leading zero missing", in: "04817263504", err: giftcard.ErrLength},

		{name: "last digit mistyped", in: "739201840658", err: giftcard.ErrCheck},
		{name: "neighbours swapped", in: "732901840657", err: giftcard.ErrCheck},

		{name: "letter instead of a digit", in: "73920184O657", err: giftcard.ErrCharacter},
		{name: "letter between digits", in: "7392x01840657", err: giftcard.ErrCharacter},
		{name: "digit of another script", in: "73920184065\uff17", err: giftcard.ErrCharacter},
		{name: "two hyphens", in: "7392--01840657", err: giftcard.ErrCharacter},
		{name: "hyphen at the end", in: "739201840657-", err: giftcard.ErrCharacter},
		{name: "hyphen at the beginning", in: "-739201840657", err: giftcard.ErrCharacter},
		{name: "line end", in: "739201840657\n", err: giftcard.ErrCharacter},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := giftcard.Parse(tt.in)
			if !errors.Is(err, tt.err) {
				t.Fatalf("Parse(%q): error %v, want %v", tt.in, err, tt.err)
			}
			if got != tt.want {
				t.Errorf("Parse(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestMask(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want string
	}{
		{"number", "739201840657", "**** **** 0657"},
		{"number in groups", "7392-0184-0657", "**** **** 0657"},
		{"mistyped number", "739201840658", "**** **** ****"},
		{"no number", "my mother's maiden name", "**** **** ****"},
		{"empty", "", "**** **** ****"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := giftcard.Mask(tt.in); got != tt.want {
				t.Errorf("Mask(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}
