// The status that kstatus computes for the same objects that the health scripts of Argo CD are tried with.
package kstatus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/yaml"
)

const testdata = "../../../manifests/argocd/resource_customizations/stagingrefresh.dev"

var want = map[string]map[string]status.Status{
	"StagingRefresh": {
		// What says nothing about itself counts as done. The controller writes Ready at first sight, so
		// that lasts for a moment; docs/gitops.md has a rule for Flux that closes the gap.
		"fresh":             status.CurrentStatus,
		"changed":           status.InProgressStatus,
		"queued":            status.InProgressStatus,
		"running":           status.InProgressStatus,
		"awaiting_approval": status.InProgressStatus,
		"awaiting_window":   status.InProgressStatus,
		"putting_back":      status.InProgressStatus,
		"blocked":           status.FailedStatus,
		"suspended":         status.InProgressStatus,
		"suspended_before":  status.InProgressStatus,
		"suspended_after":   status.CurrentStatus,
		"succeeded":         status.CurrentStatus,
		"failed":            status.FailedStatus,
		"stalled":           status.FailedStatus,
		"deleting":          status.TerminatingStatus,
	},
	"AWSAccount": {
		"fresh":    status.CurrentStatus,
		"changed":  status.InProgressStatus,
		"waiting":  status.InProgressStatus,
		"ready":    status.CurrentStatus,
		"stalled":  status.FailedStatus,
		"deleting": status.TerminatingStatus,
	},
}

func read(t *testing.T, path string) *unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err = yaml.YAMLToJSONStrict(text)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(text); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return object
}

func TestEveryPhase(t *testing.T) {
	for kind, rows := range want {
		for name, wanted := range rows {
			t.Run(kind+"/"+name, func(t *testing.T) {
				result, err := status.Compute(read(t, filepath.Join(testdata, kind, "testdata", name+".yaml")))
				if err != nil {
					t.Fatal(err)
				}
				if result.Status != wanted {
					t.Errorf("wanted %s, got %s: %s", wanted, result.Status, result.Message)
				}
			})
		}
	}
}

// No object of the test data is left out above.
func TestNoneIsForgotten(t *testing.T) {
	for kind, rows := range want {
		files, err := filepath.Glob(filepath.Join(testdata, kind, "testdata", "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name := filepath.Base(file[:len(file)-len(".yaml")])
			if _, there := rows[name]; !there {
				t.Errorf("%s/%s has no expectation", kind, name)
			}
		}
		if len(files) != len(rows) {
			t.Errorf("%s: %d files, %d expectations", kind, len(files), len(rows))
		}
	}
}

// Objects that a controller has written: SR_MOMENTS/list has a line "NUMBER PHASE HEALTH STATUS" for each NUMBER.json.
func TestMoments(t *testing.T) {
	folder := os.Getenv("SR_MOMENTS")
	if folder == "" {
		t.Skip("SR_MOMENTS is not set: tests/e2e/health_test.sh records some")
	}
	list, err := os.ReadFile(filepath.Join(folder, "list"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(list)), "\n")
	for _, line := range lines {
		fields := strings.Fields(line)
		if len(fields) != 4 {
			t.Fatalf("a line of the list: %q", line)
		}
		t.Run(fields[1]+"/"+fields[0], func(t *testing.T) {
			result, err := status.Compute(read(t, filepath.Join(folder, fields[0]+".json")))
			if err != nil {
				t.Fatal(err)
			}
			if string(result.Status) != fields[3] {
				t.Errorf("wanted %s, got %s: %s", fields[3], result.Status, result.Message)
			}
		})
	}
}
