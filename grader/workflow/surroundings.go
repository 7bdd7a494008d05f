package workflow

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/rhysd/actionlint"
)

// reference is what the event is about, as GitHub writes it.
func (r *run) reference() (ref, name, head, base string) {
	if r.event == PullRequest {
		name = strconv.Itoa(r.repo.Number) + "/merge"
		return "refs/pull/" + name, name, "change", "main"
	}
	return "refs/heads/main", "main", "", ""
}

// github is the context of that name.
func (r *run) github(j Job) map[string]any {
	ref, name, head, base := r.reference()
	repository := map[string]any{"full_name": r.repo.Owner + "/" + r.repo.Name, "name": r.repo.Name, "default_branch": "main", "owner": map[string]any{"login": r.repo.Owner}}
	event := map[string]any{"repository": repository, "ref": ref}
	if r.event == PullRequest {
		event = map[string]any{
			"action": "opened", "number": float64(r.repo.Number), "repository": repository,
			"pull_request": map[string]any{
				"number": float64(r.repo.Number), "title": r.repo.Title, "draft": r.repo.Draft, "user": map[string]any{"login": r.repo.Owner},
				"head": map[string]any{"ref": head, "sha": r.repo.sha()}, "base": map[string]any{"ref": base},
			},
		}
	}
	return map[string]any{
		"event_name": r.event.Name, "event": event, "ref": ref, "ref_name": name, "ref_type": "branch", "head_ref": head, "base_ref": base,
		"sha": r.repo.sha(), "repository": repository["full_name"], "repository_owner": r.repo.Owner, "actor": r.repo.Owner,
		"triggering_actor": r.repo.Owner, "workflow": r.workflowName(), "job": j.ID, "run_id": "1", "run_number": "1", "run_attempt": "1",
		"server_url": "https://github.com", "api_url": "https://api.github.com", "workspace": r.m.workspace, "token": "", "action": "",
	}
}

func (r *run) workflowName() string {
	if name := valueOf(r.w.tree.Name); name != "" {
		return name
	}
	return r.w.Name
}

// basePath is where commands are looked for before a step adds folders.
func (r *run) basePath() string {
	return r.m.home + "/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

// given are the variables that every step finds: GitHub's, and those with which Go works without
// a network.
func (r *run) given(j Job) map[string]string {
	ref, name, head, base := r.reference()
	home, commands := r.m.home, r.m.temp()+"/commands/"
	return map[string]string{
		"HOME": home, "USER": "runner", "LANG": "C.UTF-8", "PATH": r.basePath(), "CI": "true",
		"GOPATH": home + "/go", "GOPROXY": "file://" + home + "/modules", "GOSUMDB": "off", "GOTOOLCHAIN": "local",
		"GORACE":         "atexit_sleep_ms=10", // the detector sleeps for a second at the end of each test binary
		"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": r.event.Name, "GITHUB_REF": ref, "GITHUB_REF_NAME": name, "GITHUB_REF_TYPE": "branch",
		"GITHUB_HEAD_REF": head, "GITHUB_BASE_REF": base, "GITHUB_SHA": r.repo.sha(), "GITHUB_REPOSITORY": r.repo.Owner + "/" + r.repo.Name,
		"GITHUB_REPOSITORY_OWNER": r.repo.Owner, "GITHUB_ACTOR": r.repo.Owner, "GITHUB_WORKFLOW": r.workflowName(), "GITHUB_JOB": j.ID,
		"GITHUB_RUN_ID": "1", "GITHUB_RUN_NUMBER": "1", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_SERVER_URL": "https://github.com",
		"GITHUB_WORKSPACE": r.m.workspace, "GITHUB_ENV": commands + "env", "GITHUB_PATH": commands + "path",
		"GITHUB_OUTPUT": commands + "output", "GITHUB_STEP_SUMMARY": commands + "summary",
		"RUNNER_OS": "Linux", "RUNNER_ARCH": "X64", "RUNNER_TEMP": r.m.temp(), "RUNNER_ENVIRONMENT": "github-hosted",
	}
}

// own tells whether a variable is GitHub's, which no workflow overwrites.
func own(name string) bool {
	return strings.HasPrefix(name, "GITHUB_") || strings.HasPrefix(name, "RUNNER_")
}

// addEnv evaluates an env section into vars.
func addEnv(vars map[string]string, env *actionlint.Env, s scope) error {
	if env == nil {
		return nil
	}
	added := map[string]string{}
	for _, v := range env.Vars {
		text, err := s.interpolate(valueOf(v.Value))
		if err != nil {
			return at(err, lineOf(v.Name.Pos))
		}
		if !own(v.Name.Value) {
			added[v.Name.Value] = text
		}
	}
	maps.Copy(vars, added)
	return nil
}

// environ is variables as a process gets them.
func environ(vars map[string]string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		all = append(all, name+"="+vars[name])
	}
	return all
}

// contextOf is variables as the context env.
func contextOf(vars map[string]string) map[string]any {
	all := map[string]any{}
	for name, value := range vars {
		all[strings.ToLower(name)] = value
	}
	return all
}

// within is a path of the workspace.
func (r *run) within(dir string) string {
	if path.IsAbs(dir) {
		return dir
	}
	return path.Join(r.m.workspace, dir)
}
