// Package content embeds what a learner reads. Package lessons understands it.
package content

import "embed"

// FS holds course.yaml and a folder per track.
//
//go:embed course.yaml all:*
var FS embed.FS
