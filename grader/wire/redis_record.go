package wire

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"
)

// commandRecord is a command as the log keeps it: its arguments stay packed until
// somebody looks. Under the log's lock, but for what does not change: args, count,
// hash and scripts.
type commandRecord struct {
	Command
	args     []byte
	count    int
	hash     string // of the script it runs or loads
	scripts  *scripts
	confirms int // confirmations still to come for a command of pub/sub
}

func (r *commandRecord) number(seq int) { r.Seq = seq }

// size is what the record costs in memory, roughly.
func (r *commandRecord) size() int { return 300 + len(r.args) + maxReply }

// command renders a copy of a record.
func (r *commandRecord) command() Command {
	c := r.Command
	c.Args = argTexts(r.args)
	if more := r.count - len(c.Args); more > 0 {
		c.Args = append(c.Args, fmt.Sprintf("… %d more", more))
	}
	if r.hash != "" {
		c.Script = r.scripts.get(r.hash)
	}
	return c
}

// finish fills in that the server has answered. The caller holds the log's lock.
func (r *commandRecord) finish(now time.Time) {
	r.Pending = false
	r.Duration = now.Sub(r.Start)
}

// answer fills in what the server answered. The caller holds the log's lock.
func (r *commandRecord) answer(text []byte, failed bool, now time.Time) {
	if failed {
		r.Err = shorten(text, len(text), maxMessage)
	} else {
		r.Reply = string(text)
	}
	r.finish(now)
}

// is reports whether the first argument is this word, in any case.
func (r *commandRecord) is(name, word string) bool {
	return r.Name == name && r.word(0) == word
}

// word returns an argument in upper case, "" where there is none.
func (r *commandRecord) word(i int) string {
	if texts := argTexts(r.args); i < len(texts) {
		return strings.ToUpper(texts[i])
	}
	return ""
}

// scripts are the sources of Lua scripts that passed by, by their hash.
type scripts struct {
	mu     sync.Mutex
	byHash map[string]string
}

// add remembers a script and returns its hash, as the server computes it.
func (s *scripts) add(source []byte) string {
	sum := sha1.Sum(source)
	hash := hex.EncodeToString(sum[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byHash == nil {
		s.byHash = map[string]string{}
	}
	if _, known := s.byHash[hash]; !known && len(s.byHash) < maxScripts {
		s.byHash[hash] = string(source)
	}
	return hash
}

func (s *scripts) get(hash string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byHash[hash]
}

const masked = "(masked)"

// maskSecrets replaces passwords among the arguments.
func maskSecrets(name string, args []byte) []byte {
	switch name {
	case "AUTH", "HELLO", "ACL", "CONFIG", "MIGRATE":
	default:
		return args
	}
	texts := argTexts(args)
	secret := 0 // so many arguments from here on are secret
	for i, text := range texts {
		word := strings.ToUpper(text)
		switch {
		case name == "AUTH" || secret > 0:
			texts[i] = masked
			secret--
		case name == "ACL" && i > 1 && strings.ContainsAny(text[:min(len(text), 1)], "<>#!"):
			texts[i] = masked
		case word == "AUTH" && i > 0, word == "AUTH2":
			secret = 2
		case name == "CONFIG" && (strings.HasSuffix(word, "PASS") || strings.HasSuffix(word, "AUTH") || strings.HasSuffix(word, "PASSWORD")):
			secret = 1
		}
	}
	args = args[:0:0]
	for _, text := range texts {
		args = appendArg(args, []byte(text), int64(len(text)))
	}
	return args
}
