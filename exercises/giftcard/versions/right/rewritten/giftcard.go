// Package giftcard reads the numbers of gift cards as customers type them.
package giftcard

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Why a text is no number.
var (
	ErrCharacter = errors.New("not a card number")
	ErrLength    = errors.New("wrong length")
	ErrCheck     = errors.New("mistyped")
)

var form = regexp.MustCompile(`^(?:[0-9](?:[ -]?[0-9])*)?$`)

// Parse returns the digits of a number.
func Parse(typed string) (number string, err error) {
	defer func() {
		if err != nil {
			number = ""
		}
	}()
	typed = strings.TrimLeft(strings.TrimRight(typed, " "), " ")
	if !form.MatchString(typed) {
		return "", fmt.Errorf("%d bytes: %w", len(typed), ErrCharacter)
	}
	number = strings.NewReplacer(" ", "", "-", "").Replace(typed)
	if n := len(number); n != 12 {
		return "", fmt.Errorf("%d digits: %w", n, ErrLength)
	}
	if want := checkDigit(number[:11]); number[11] != want {
		return "", fmt.Errorf("ends in %c: %w", number[11], ErrCheck)
	}
	return number, nil
}

// checkDigit is the digit that makes the sum end in 0.
func checkDigit(eleven string) byte {
	odd, even := 0, 0
	for i := 0; i < len(eleven); i += 2 {
		odd += int(eleven[i]) - '0'
	}
	for i := 1; i < len(eleven); i += 2 {
		even += int(eleven[i]) - '0'
	}
	return "0987654321"[(3*odd+even)%10]
}

// Mask hides all but the last four digits.
func Mask(typed string) string {
	end := strings.Repeat("*", 4)
	if number, err := Parse(typed); err == nil {
		end = number[8:]
	}
	return strings.Join([]string{"****", "****", end}, " ")
}
