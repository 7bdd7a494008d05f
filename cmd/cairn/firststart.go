package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/services"
	"github.com/cairn-learn/cairn/internal/doctor"
	"github.com/cairn-learn/cairn/internal/editor"
	"github.com/cairn-learn/cairn/internal/settings"
	"github.com/cairn-learn/cairn/internal/tui/firststart"
	"github.com/cairn-learn/cairn/internal/tui/setup"
	"github.com/cairn-learn/cairn/internal/workspace"
)

// settled tells whether the learner has been asked before: then there are
// settings, be they damaged.
func settled() bool {
	_, err := os.Lstat(settings.File())
	return settings.File() != "" && !errors.Is(err, fs.ErrNotExist)
}

// questions are those of the first start, for a learner who stands in dir.
func (a *app) questions(dir string) *firststart.Questions {
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	return &firststart.Questions{
		Paths: a.course.Paths, Editors: editor.Choices(), Home: home, Dir: dir,
		CheckEditor: func(command string) error {
			_, err := editor.Parse(command)
			return err
		},
		Settle: a.settle,
		Examine: func(ctx context.Context, each func(doctor.Result)) {
			subject := a.machine(dir)
			subject.Each = each
			doctor.Examine(ctx, subject)
		},
	}
}

// settle makes the workspace and keeps the answers. Only when both is done is
// the first start over; a workspace that nothing points to yet is found again by
// the same answer.
func (a *app) settle(answers firststart.Answers) (w *workspace.Workspace, kept, err error) {
	if w, err = workspace.Init(answers.Folder, a.catalogue, version()); err != nil {
		return nil, nil, err
	}
	chosen := settings.Settings{Path: answers.Path, Editor: answers.Editor}
	kept = settings.Create(settings.File(), chosen)
	a.prefer(chosen)
	a.made(w)
	return w, kept, nil
}

// ahead is what is made ready while the learner reads. Images come over another
// wire than modules, so they need not wait for each other.
func (a *app) ahead(g *grader.Grader) [][]setup.Step {
	return [][]setup.Step{
		{{Title: "Modules", Run: a.fetchModules}, {Title: "Compiling", Run: func(ctx context.Context, say func(setup.Progress)) (string, error) {
			return a.warm(ctx, g, say)
		}}},
		{{Title: "Images", Run: fetchImages}},
	}
}

func (a *app) fetchModules(ctx context.Context, say func(setup.Progress)) (string, error) {
	all := 0
	err := workspace.FetchModules(ctx, a.catalogue, func(module string, n, total int) {
		all = total
		say(setup.Progress{What: fmt.Sprintf("fetching %s (%d of %d)", module, n, total), Done: int64(n - 1), Total: int64(total)})
	})
	return fmt.Sprintf("all %d are here", all), err
}

// warm compiles what the exercises are made of, so that the first grade waits for
// nothing but the learner's own code.
func (a *app) warm(ctx context.Context, g *grader.Grader, say func(setup.Progress)) (string, error) {
	all := a.catalogue.All()
	for i, e := range all {
		say(setup.Progress{
			What: fmt.Sprintf("what %s is built with (%d of %d)", e.ID, i+1, len(all)),
			Done: int64(i), Total: int64(len(all)),
		})
		if err := g.Warm(ctx, e.Spec()); err != nil {
			return "", fmt.Errorf("what %s is built with does not compile: %w; cairn doctor tells what is wrong with this machine", e.ID, err)
		}
	}
	return "what exercises are built with is compiled", nil
}

func fetchImages(ctx context.Context, say func(setup.Progress)) (string, error) {
	pulled, err := services.FetchImages(ctx, services.Config{}, func(p services.Progress) {
		what := p.What
		if p.Total > 0 {
			what += fmt.Sprintf(", %d of %d MB", p.Done>>20, p.Total>>20)
		}
		say(setup.Progress{What: what, Done: p.Done, Total: p.Total})
	})
	switch {
	case err != nil:
		return "", err
	case len(pulled) == 0:
		return "nothing to fetch", nil
	}
	return "pulled " + strings.Join(pulled, " and "), nil
}
