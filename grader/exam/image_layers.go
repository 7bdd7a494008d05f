package exam

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/dockerfile"
	"github.com/cairn-learn/cairn/grader/services"
)

// read looks at everything that the image consists of.
func (i *Image) read(ctx context.Context, e *services.Engine, f *dockerfile.File, secrets map[string]string) error {
	var err error
	if i.Config, err = e.Config(ctx, i.id); err != nil {
		return err
	}
	r := layerReader{secrets: secrets, seen: map[int]map[string]ImageFile{}}
	layers, err := e.Layers(ctx, i.id, r.visit)
	if err != nil {
		return err
	}
	made := i.made(f)
	for _, l := range layers {
		layer := ImageLayer{Size: l.Size}
		if by, ok := made[l.Step]; ok {
			layer.Line, layer.Text = by.Line, by.Text
		}
		i.Layers = append(i.Layers, layer)
	}
	i.files = map[string]ImageFile{}
	last := map[string]int{} // the layer that a file is seen from
	for at, l := range layers {
		for name := range r.seen[l.Index] {
			i.remove(name)
		}
		for name, f := range r.seen[l.Index] {
			if _, base := splitLast(name); !strings.HasPrefix(base, whiteout) {
				i.files[name], last[name] = f, at
			}
		}
	}
	for _, t := range r.traces {
		at := slices.IndexFunc(layers, func(l services.Layer) bool { return l.Index == t.layer })
		if at < 0 {
			continue
		}
		t.Line, t.Text = i.Layers[at].Line, i.Layers[at].Text
		_, there := i.files[t.File]
		t.Gone = !there || last[t.File] != at
		i.Found = append(i.Found, t.Trace)
	}
	i.Found = append(i.Found, i.told(secrets, made)...)
	return nil
}

// whiteout begins the name of an entry by which a layer removes a file of the layers below.
const whiteout = ".wh."

// remove takes out of what a container sees what an entry of a layer removes: a file, or all that
// was in a folder.
func (i *Image) remove(entry string) {
	dir, base := splitLast(entry)
	name, ok := strings.CutPrefix(base, whiteout)
	if !ok {
		return
	}
	target, all := dir+name, name == whiteout+".opq"
	if all {
		target = strings.TrimSuffix(dir, "/")
	}
	for file := range i.files {
		if file == target && !all || strings.HasPrefix(file, target+"/") {
			delete(i.files, file)
		}
	}
}

func splitLast(name string) (dir, base string) {
	at := strings.LastIndexByte(name, '/')
	return name[:at+1], name[at+1:]
}

// told are the secrets that the image tells without any file.
func (i *Image) told(secrets map[string]string, made map[int]dockerfile.Instruction) []Trace {
	var all []Trace
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		value := secrets[name]
		for _, env := range i.Config.Env {
			if strings.Contains(env, value) {
				all = append(all, Trace{Secret: name, In: "the environment"})
				break
			}
		}
		for at, step := range i.Config.History {
			if strings.Contains(step, value) {
				all = append(all, Trace{Secret: name, In: "the history", Line: made[at].Line, Text: made[at].Text})
				break
			}
		}
		if len(all) == 0 && bytes.Contains(i.Config.Raw, []byte(value)) {
			all = append(all, Trace{Secret: name, In: "the configuration"})
		}
	}
	return all
}

// made tells which instruction made which step of the history. A step has come of each, the last ones
// of the Dockerfile: behind them there are the labels of the grade alone, before them the base's.
func (i *Image) made(f *dockerfile.File) map[int]dockerfile.Instruction {
	made := map[int]dockerfile.Instruction{}
	at := len(i.Config.History) - 2
	for _, in := range slices.Backward(f.Image()) {
		if at < 0 {
			break
		}
		// In place of FROM stands the label by which the engine finds it again.
		if in.Name != "FROM" {
			made[at] = in
		}
		at--
	}
	return made
}

// layerReader looks for secrets in the files of layers.
type layerReader struct {
	secrets map[string]string
	seen    map[int]map[string]ImageFile
	traces  []layerTrace
}

type layerTrace struct {
	Trace
	layer int
}

func (r *layerReader) visit(f services.LayerFile) error {
	if r.seen[f.Layer] == nil {
		r.seen[f.Layer] = map[string]ImageFile{}
	}
	file := ImageFile{Size: f.Size, Mode: f.Mode, Regular: f.Regular}
	if f.Regular {
		content := f.Content
		if f.Name == "etc/passwd" || f.Name == "etc/group" {
			data, err := io.ReadAll(io.LimitReader(content, 1<<20))
			if err != nil {
				return err
			}
			file.Content, content = data, io.MultiReader(bytes.NewReader(data), content)
		}
		found, err := search(content, r.secrets)
		if err != nil {
			return err
		}
		for _, name := range found {
			r.traces = append(r.traces, layerTrace{Trace{Secret: name, File: f.Name}, f.Layer})
		}
	}
	r.seen[f.Layer][f.Name] = file
	return nil
}

// search returns the names of the values that a stream holds.
func search(content io.Reader, values map[string]string) ([]string, error) {
	longest := 0
	for _, v := range values {
		longest = max(longest, len(v))
	}
	found := map[string]bool{}
	buf := make([]byte, 0, 128<<10)
	for {
		n, err := content.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		for name, v := range values {
			if bytes.Contains(buf, []byte(v)) {
				found[name] = true
			}
		}
		if keep := min(max(longest-1, 0), len(buf)); len(buf) > cap(buf)/2 {
			buf = buf[:copy(buf[:keep], buf[len(buf)-keep:])]
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	var names []string
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}
