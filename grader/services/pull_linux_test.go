package services

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/moby/client"
)

// registry serves one image of one layer, as a registry does. An engine on this machine takes a
// registry on localhost without TLS.
func registry(t *testing.T, layer []byte) *httptest.Server {
	t.Helper()
	digest := func(b []byte) string {
		sum := sha256.Sum256(b)
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	plain, err := gzip.NewReader(bytes.NewReader(layer))
	if err != nil {
		t.Fatal(err)
	}
	var files bytes.Buffer
	if _, err := files.ReadFrom(plain); err != nil {
		t.Fatal(err)
	}
	encode := func(v any) []byte {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	type object = map[string]any
	config := encode(object{"architecture": "amd64", "os": "linux", "config": object{},
		"rootfs": object{"type": "layers", "diff_ids": []string{digest(files.Bytes())}}})
	const manifestType = "application/vnd.docker.distribution.manifest.v2+json"
	manifest := encode(object{"schemaVersion": 2, "mediaType": manifestType,
		"config": object{"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config), "digest": digest(config)},
		"layers": []object{{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": len(layer), "digest": digest(layer)}},
	})
	blobs := map[string][]byte{digest(config): config, digest(layer): layer}
	mux := http.NewServeMux()
	mux.HandleFunc("/v2/{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/v2/cairn/pulled/manifests/{ref}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", manifestType)
		w.Header().Set("Docker-Content-Digest", digest(manifest))
		_, _ = w.Write(manifest)
	})
	mux.HandleFunc("/v2/cairn/pulled/blobs/{digest}", func(w http.ResponseWriter, r *http.Request) {
		blob, ok := blobs[r.PathValue("digest")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(blob)))
		_, _ = w.Write(blob)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func TestPullReportsProgress(t *testing.T) {
	needEngine(t)
	var layer bytes.Buffer
	zip := gzip.NewWriter(&layer)
	files := tar.NewWriter(zip)
	content := make([]byte, 8<<20)
	_, _ = rand.Read(content)
	if err := files.WriteHeader(&tar.Header{Name: "noise", Mode: 0o644, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(registry(t, layer.Bytes()).URL, "http://") + "/cairn/pulled:test"

	e, err := connectEngine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	var steps []Progress
	if err := e.ensureImage(t.Context(), name, func(p Progress) { steps = append(steps, p) }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = e.cli.ImageRemove(context.Background(), name, client.ImageRemoveOptions{Force: true}) })
	last := steps[len(steps)-1]
	if len(steps) < 3 || last.What != "pulling "+name || last.Total != int64(layer.Len()) || last.Done != last.Total {
		t.Errorf("progress %+v, want some steps to %d bytes", steps, layer.Len())
	}
	for i := 1; i < len(steps); i++ {
		if steps[i].Done < steps[i-1].Done {
			t.Errorf("progress goes back: %+v, then %+v", steps[i-1], steps[i])
		}
	}
	steps = nil
	if err := e.ensureImage(t.Context(), name, func(p Progress) { steps = append(steps, p) }); err != nil || len(steps) != 0 {
		t.Errorf("an image that is there was pulled: %v, %v", steps, err)
	}
}
