// Package giftcard reads the numbers of gift cards as customers type them.
//
// A number has twelve digits. The last one is a check digit: the first, third,
// fifth, … digit counted three times and the second, fourth, … digit counted
// once make a sum that ends in 0.
package giftcard

import (
	"errors"
	"strings"
)

// Why a text is no number. Callers tell them apart with errors.Is.
var (
	ErrCharacter = errors.New("giftcard: something that does not belong into a number")
	ErrLength    = errors.New("giftcard: not twelve digits")
	ErrCheck     = errors.New("giftcard: the check digit does not fit")
)

const digits = 12

// Parse returns the twelve digits of a number, without anything between them.
//
// Spaces before and after the number do not matter. Between two digits may stand
// one space or one hyphen. Whatever else there is, and a space or hyphen in any
// other place, makes it ErrCharacter. Then another count of digits than twelve is
// ErrLength, and then a check digit that does not fit is ErrCheck. Digits are
// 0 to 9. With an error the text is empty.
func Parse(s string) (string, error) {
	s = strings.Trim(s, " ")
	number := make([]byte, 0, digits)
	afterDigit := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			number = append(number, c)
			afterDigit = true
		case (c == ' ' || c == '-') && afterDigit:
			afterDigit = false
		default:
			return "", ErrCharacter
		}
	}
	if s != "" && !afterDigit {
		return "", ErrCharacter
	}
	if len(number) != digits {
		return "", ErrLength
	}
	if sum(number)%10 != 0 {
		return "", ErrCheck
	}
	return string(number), nil
}

// Mask returns how a number may stand in a log or on a receipt: the last four
// digits, and stars for the others: "**** **** 0128". Of a text that Parse
// refuses it shows nothing: "**** **** ****".
func Mask(s string) string {
	number, err := Parse(s)
	if err != nil {
		return "**** **** ****"
	}
	return "**** **** " + number[digits-4:]
}

// sum adds the digits up, every other one three times.
func sum(number []byte) int {
	total := 0
	for i, c := range number {
		weight := 1
		if i%2 == 0 {
			weight = 3
		}
		total += weight * int(c-'0')
	}
	return total
}
