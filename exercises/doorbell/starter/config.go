package doorbell

import "os"

// env returns a variable, or what to take in its place.
func env(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}
