package giftcard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	cards "github.com/cairn-learn/cairn/exercises/giftcard"
)

const valid = "004817263504"

func parse(t *testing.T, in, want string) {
	t.Helper()
	if got, err := cards.Parse(in); err != nil || got != want {
		t.Errorf("%q became %q (%v), not %q", in, got, err, want)
	}
}

func refuse(t *testing.T, in string, reason error) {
	t.Helper()
	got, err := cards.Parse(in)
	if err == nil {
		t.Errorf("%q was accepted as %q", in, got)
		return
	}
	if got != "" {
		t.Errorf("%q is refused, and %q comes back", in, got)
	}
	for _, e := range []error{cards.ErrCharacter, cards.ErrLength, cards.ErrCheck} {
		if errors.Is(err, e) != (e == reason) {
			t.Errorf("%q is refused as %v", in, err)
		}
	}
}

// Every check digit there is belongs to some number.
func TestAllCheckDigits(t *testing.T) {
	seen := map[byte]bool{}
	for i := range 10 {
		eleven := fmt.Sprintf("0000000000%d", i)
		var right []string
		for check := range 10 {
			if n, err := cards.Parse(eleven + fmt.Sprint(check)); err == nil {
				right = append(right, n)
			}
		}
		if len(right) != 1 || !strings.HasPrefix(right[0], eleven) {
			t.Fatalf("%s: %q are right", eleven, right)
		}
		seen[right[0][11]] = true
	}
	if len(seen) != 10 {
		t.Errorf("only %d check digits ever fit", len(seen))
	}
}

func TestSeparators(t *testing.T) {
	for at := 1; at < len(valid); at++ {
		for _, sep := range []string{" ", "-"} {
			parse(t, valid[:at]+sep+valid[at:], valid)
			refuse(t, valid[:at]+sep+sep+valid[at:], cards.ErrCharacter)
		}
	}
	parse(t, " "+valid+"   ", valid)
	refuse(t, valid+"-", cards.ErrCharacter)
	refuse(t, "-"+valid, cards.ErrCharacter)
}

func TestCharacters(t *testing.T) {
	for at := range len(valid) {
		for _, other := range []string{"o", "l", ".", "\u0664", "\U0001d7d2", "\t"} {
			refuse(t, valid[:at]+other+valid[at+1:], cards.ErrCharacter)
			refuse(t, valid[:at]+other+valid[at:], cards.ErrCharacter)
		}
	}
}

func TestLengths(t *testing.T) {
	for n := range len(valid) {
		refuse(t, valid[:n], cards.ErrLength)
		refuse(t, valid[len(valid)-n:], cards.ErrLength)
	}
	for _, more := range []string{"0", "5", "00", valid} {
		refuse(t, valid+more, cards.ErrLength)
		refuse(t, more+valid, cards.ErrLength)
	}
}

func TestOneDigitMistyped(t *testing.T) {
	for at := range len(valid) {
		for d := '0'; d <= '9'; d++ {
			if rune(valid[at]) != d {
				refuse(t, valid[:at]+string(d)+valid[at+1:], cards.ErrCheck)
			}
		}
	}
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		valid: "**** **** 3504", " 0048-1726-3504": "**** **** 3504",
		valid[1:]: "**** **** ****", "secret": "**** **** ****", "": "**** **** ****",
	} {
		if got := cards.Mask(in); got != want {
			t.Errorf("Mask(%q) is %q", in, got)
		}
	}
}
