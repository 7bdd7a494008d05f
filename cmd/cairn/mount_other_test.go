//go:build !linux

package main

import "testing"

func mountTmpfs(t *testing.T, _ string) string {
	t.Skip("needs Linux to mount a small disk")
	return ""
}

func readOnly(t *testing.T, _ string) { t.Skip("needs Linux to make a folder read-only for root too") }
