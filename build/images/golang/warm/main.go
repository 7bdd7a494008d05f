// Imports what small services do, and does nothing.
package main

import (
	_ "context"
	_ "crypto/hmac"
	_ "crypto/rand"
	_ "crypto/sha256"
	_ "crypto/x509"
	_ "embed"
	_ "encoding/base64"
	_ "encoding/hex"
	_ "encoding/json"
	_ "errors"
	_ "flag"
	_ "fmt"
	_ "log/slog"
	_ "net/http"
	_ "os/signal"
	_ "path/filepath"
	_ "regexp"
	_ "sync/atomic"
	_ "time"
	_ "time/tzdata"
)

func main() {}
