// The status that kstatus computes for the same objects that the health scripts of Argo CD are tried with.
package kstatus

import (
	"os"
	"path/filepath"
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
