package giftcard_test

import (
	"testing"

	"github.com/cairn-learn/cairn/exercises/giftcard"
)

func TestParse(t *testing.T) {
	for _, in := range []string{"739201840657", "7392 0184 0657", "7392018406570"} {
		number, err := giftcard.Parse(in)
		t.Log(in, number, err)
	}
}
