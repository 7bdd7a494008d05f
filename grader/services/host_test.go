package services

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// suite is what must hold whatever the servers run in.
var suite = []struct {
	name string
	test func(*testing.T)
}{
	{"clone holds the fixture", testCloneHoldsTheFixture},
	{"clones are apart", testClonesAreApart},
	{"two at once share one server", testTwoAtOnceShareOneServer},
	{"server stays warm", testServerStaysWarm},
	{"spare is taken and replaced", testSpareIsTakenAndReplaced},
	{"kept", testKept},
	{"release closes sessions and drops", testReleaseClosesSessionsAndDrops},
	{"prune", testPrune},
	{"idle server ends by itself", testIdleServerEndsByItself},
	{"kept server stays in use", testKeptServerStaysInUse},
	{"killed cairn leaves nothing", testKilledCairnLeavesNothing},
	{"half made template is swept", testHalfMadeTemplateIsSwept},
	{"half dropped database is swept", testHalfDroppedDatabaseIsSwept},
	{"database of a lost connection is swept", testDatabaseOfALostConnectionIsSwept},
	{"lost server is replaced", testLostServerIsReplaced},
	{"wrong server is noticed", testWrongServerIsNoticed},
	{"fixture trouble is explained", testFixtureTroubleIsExplained},
	{"cancelled context is respected", testCancelledContextIsRespected},
	{"program owns its database", testProgramOwnsItsDatabase},
	{"objects of another owner stay theirs", testObjectsOfAnotherOwnerStayTheirs},
	{"program has no power outside", testProgramHasNoPowerOutside},
	{"examiner lends no power", testExaminerLendsNoPower},
	{"connections stay inside the grade", testConnectionsStayInsideTheGrade},
	{"redis is empty and the grade's own", testRedisIsTheGradesOwn},
	{"redis program has no power outside", testRedisProgramHasNoPowerOutside},
	{"redis spare is taken and replaced", testRedisSpareIsTakenAndReplaced},
	{"redis is kept", testRedisIsKept},
	{"redis release removes", testRedisReleaseRemoves},
	{"redis wrong server is noticed", testRedisWrongServerIsNoticed},
	{"redis lost server is replaced", testRedisLostServerIsReplaced},
	{"redis ends by itself", testRedisEndsByItself},
	{"redis too old is explained", testRedisTooOldIsExplained},
}

// testDir is the state folder of the suite that runs: its servers are its own.
var testDir string

func TestContainers(t *testing.T) {
	needEngine(t)
	runSuite(t, inContainers)
}

func TestNative(t *testing.T) {
	needNative(t)
	runSuite(t, native)
}

func runSuite(t *testing.T, services string) {
	useServices(t, services)
	for _, s := range suite {
		t.Run(s.name, s.test)
	}
}

// useServices makes this kind of host the one of the test, with a state folder that is left empty.
func useServices(t testing.TB, services string) {
	t.Helper()
	t.Setenv("CAIRN_SERVICES", services)
	dir, err := os.MkdirTemp("", "cairn services ä")
	if err != nil {
		t.Fatal(err)
	}
	testDir = filepath.Join(dir, "state")
	t.Cleanup(func() {
		stopAll(t, testDir)
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
}

// stopAll stops the servers of a state folder, and looks whether anything is left.
func stopAll(t testing.TB, dir string) {
	t.Helper()
	ctx := context.Background()
	if _, err := Stop(ctx, Config{StateDir: dir}, true); err != nil {
		t.Errorf("stop: %v", err)
	}
	if left, err := List(ctx, Config{StateDir: dir}); err != nil || len(left) > 0 {
		t.Errorf("after the stop: %+v, %v", left, err)
	}
}

// needEngine skips where there is no Docker engine. One that is there and doesn't work is an error.
func needEngine(t testing.TB) {
	t.Helper()
	info, err := CheckEngine(t.Context(), Config{})
	var un *Unavailable
	if errors.As(err, &un) && errors.Is(err, fs.ErrNotExist) {
		t.Skip("needs Docker: ", un)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !info.Images[0].Present {
		t.Fatalf("the image %s is missing: run make images", info.Images[0].Name)
	}
}

// needNative skips where the servers' programs are not installed.
func needNative(t testing.TB) {
	t.Helper()
	for service := range programNames {
		if _, err := findProgram(t.Context(), service); err != nil {
			t.Skip("needs servers on this machine: ", err)
		}
	}
}

// openTestHost returns the host of the configuration.
func openTestHost(t testing.TB, cfg Config) host {
	t.Helper()
	cfg, err := cfg.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	h, err := openHost(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	return h
}

// waitEnded waits until a server has ended by itself.
func waitEnded(t testing.TB, cfg Config, s server) {
	t.Helper()
	h := openTestHost(t, cfg)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		runs, err := h.running(t.Context(), s)
		if err != nil {
			t.Fatalf("wait for the end of %s: %v", s.name, err)
		}
		if !runs {
			return
		}
		<-tick.C
	}
}
