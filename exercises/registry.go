package exercises

import "embed"

// FS holds every exercise with all of its files, and the workspace's go.mod.
//
//go:embed all:workspace
var FS embed.FS
