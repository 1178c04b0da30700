#include "plugin/tree.h"

#include "tests/plugin/plugin_testing.h"

#define COPYING                                                                                           \
    DATABASES(DATABASE(                                                                                   \
        "main", "29",                                                                                     \
        DONE("Backup") "," ROW(                                                                           \
            "Copy", "Running",                                                                            \
            "," START ",\"percent\":40" MESSAGE(                                                          \
                "copy job c-1 is RUNNING")) "," WAITING("Restore")) "," DATABASE("sessions", "100",       \
                                                                                 DONE("Backup") "," DONE( \
                                                                                     "Copy")))
#define NOTHING_SWITCHED SWITCHOVER(WAITING("Approval") "," WAITING("Proxies/shop-stg"))
#define KEPT                                                                                         \
    COPIES(COPY("main", "r1", "Previous", OLD) "," COPY("sessions", "r1", "Previous", OLD) "," COPY( \
        "main", "r2", "InUse", NEW) "," COPY("sessions", "r2", "InUse", NEW))
#define ALL_DONE \
    DATABASES(DATABASE("main", "100", DONE("Backup")) "," DATABASE("sessions", "100", DONE("Backup")))
#define USED_NOW                                   \
    "uses      main: main-r2, of run r2\n"         \
    "          sessions: sessions-r2, of run r2\n" \
    "kept      run r1: 2 copies, 2d0h old\n"
#define USED_NOTHING "uses      no copy of ours yet: what staging had before the first refresh\n"
#define TO_CANCEL "to stop this run: kubectl stagingrefresh cancel shop -n staging\n"
#define TO_RUN "for new copies: kubectl stagingrefresh run shop -n staging\n"
#define TO_SWITCH                                                                                            \
    "to put staging onto the other copies that are kept: kubectl stagingrefresh switch-to shop previous -n " \
    "staging\n"

/* clang-format off */
static const struct row {
    const char *name;
    const char *status, *metadata;
    int width;
    bool color, utf8;
    const char *want;
} rows[] = {
    {.name = "new",
     .want = "staging/shop  Starting\n"
             "run       there has been none yet\n"
             USED_NOTHING
             "next      " TO_RUN},
    {.name = "under way",
     .status = STATUS("Copying", "40% ~3m", ACTIVE_RUN, COPYING NOTHING_SWITCHED
                      CONDITIONS(CONDITION("Reconciling", "True", "Copying", "main: Copy"))),
     .want = "staging/shop  Copying  40% ~3m  run r2  5m05s\n"
             "|-- main        Copy       [======>                 ]  29%   5m05s\n"
             "|   |-- + Backup    1m00s\n"
             "|   |-- > Copy      5m05s  40%  copy job c-1 is RUNNING\n"
             "|   `-- . Restore\n"
             "|-- sessions    Ready      [========================] 100%   1m00s\n"
             "|   |-- + Backup   1m00s\n"
             "|   `-- + Copy     1m00s\n"
             "`-- switchover  Waiting\n"
             "    |-- . Approval\n"
             "    `-- . Proxies/shop-stg\n"
             USED_NOTHING
             "now       main: Copy\n"
             "next      " TO_CANCEL},
    {.name = "on a narrow terminal, with glyphs and color",
     .status = STATUS("Copying", "40% ~3m", ACTIVE_RUN, COPYING), .width = 40, .color = true, .utf8 = true,
     .want = "\033[1mstaging/shop  Copying  40% ~3m  run r2 \033[0m\n"
             "├── main        Copy         29%   5m05\n"
             "\033[32m│   ├── ✔ Backup    1m00s\033[0m\n"
             "│   ├── ▸ Copy      5m05s  40%  copy jo\n"
             "│   └── · Restore\n"
             "\033[32m└── sessions    Ready       100%   1m00\033[0m\n"
             "\033[32m    ├── ✔ Backup   1m00s\033[0m\n"
             "\033[32m    └── ✔ Copy     1m00s\033[0m\n"
             "uses      no copy of ours yet: what sta\n"
             "next      to stop this run: kubectl sta\n"},
    {.name = "awaiting approval, by an approval of another run",
     .status = STATUS("AwaitingApproval", "95%", ACTIVE_RUN, ALL_DONE
                      SWITCHOVER(ROW("Approval", "Running", "," START MESSAGE("waits for approval: kubectl annotate ...")
                                     ",\"evidence\":{\"refused\":\"the approval of r1 does not count\"}"))
                      CONDITIONS(CONDITION("Reconciling", "True", "AwaitingApproval", "waits for approval: kubectl annotate ..."))),
     .want = "staging/shop  AwaitingApproval  95%  run r2  5m05s\n"
             "|-- main        Ready      [========================] 100%   1m00s\n"
             "|   `-- + Backup   1m00s\n"
             "|-- sessions    Ready      [========================] 100%   1m00s\n"
             "|   `-- + Backup   1m00s\n"
             "`-- switchover  0 of 1\n"
             "    `-- > Approval   5m05s  waits for approval; the approval of r1 does not count\n"
             USED_NOTHING
             "next      the copies are ready; to let staging use them: kubectl stagingrefresh approve shop -n staging\n"
             "          " TO_CANCEL},
    {.name = "succeeded, and drifted",
     .status = STATUS("Succeeded", "100%", ENDED_RUN, ALL_DONE KEPT PAST(HISTORY("r2", "Succeeded", "") "," HISTORY("r1", "Succeeded", ""))
                      CONDITIONS(CONDITION("Ready", "True", "RunSucceeded", "Staging uses the copies of run r2") ","
                                 CONDITION("Restored", "True", "AllCopiesReady", "All; main differs: class") ","
                                 CONDITION("Drifted", "True", "ChangedByOthers", "Changed by somebody else"))),
     .want = "staging/shop  Succeeded  100%  run r2  1m00s\n"
             "|-- main        Ready      [========================] 100%   1m00s\n"
             "|   `-- + Backup   1m00s\n"
             "`-- sessions    Ready      [========================] 100%   1m00s\n"
             "    `-- + Backup   1m00s\n"
             USED_NOW
             "before    r1  Succeeded after 1m00s\n"
             "drifted   Changed by somebody else\n"
             "copies    All; main differs: class\n"
             "ready     Staging uses the copies of run r2\n"
             "next      to set again what somebody else has changed: kubectl stagingrefresh switch-to shop r2 -n staging\n"
             "          " TO_SWITCH
             "          " TO_RUN},
    {.name = "succeeded, and superseded",
     .status = STATUS("Succeeded", "100%", ENDED_RUN, DATABASES(DATABASE("main", "100", DONE("Backup")))
                      COPIES(COPY("main", "r1", "Previous", OLD) "," COPY("main", "r2", "Previous", NEW))
                      CONDITIONS(CONDITION("SwitchedOver", "True", "Superseded", "Run r3 of shop-b came later") ","
                                 CONDITION("Ready", "True", "Superseded", "Run r3 of shop-b came later"))),
     .want = "staging/shop  Succeeded  100%  run r2  1m00s\n"
             "`-- main        Ready      [========================] 100%   1m00s\n"
             "    `-- + Backup   1m00s\n"
             "uses      what a later run of the series has set\n"
             "ready     Run r3 of shop-b came later\n"
             "next      " TO_RUN},
    {.name = "failed",
     .status = STATUS("Failed", "40%", ENDED_RUN, DATABASES(DATABASE("main", "0", ROW("Backup", "Failed", "," START "," END MESSAGE("no such vault"))))
                      PAST(HISTORY("r2", "Failed", MESSAGE("main: Backup: no such vault")))
                      CONDITIONS(CONDITION("Ready", "False", "NoVault", "no such vault. Staging uses what it used before") ","
                                 CONDITION("Stalled", "True", "NoVault", "no such vault. Staging uses what it used before"))),
     .want = "staging/shop  Failed  40%  run r2  1m00s\n"
             "`-- main        Backup     [                        ]   0%   1m00s\n"
             "    `-- x Backup   1m00s  no such vault\n"
             USED_NOTHING
             "stalled   no such vault. Staging uses what it used before\n"
             "next      once what stood in the way is put right: kubectl stagingrefresh retry shop -n staging\n"
             "          " TO_RUN},
    {.name = "a switch-to makes no copies",
     .status = STATUS("SwitchingOver", "96%", "\"run\":{\"id\":\"r3\",\"attempt\":2,\"copiesOf\":\"r1\"," START "}",
                      DATABASES(DATABASE("main", "100", ROW("Backup", "Skipped", MESSAGE("the copy of run r1 is used again")) ","
                                         ROW("Copy", "Skipped", MESSAGE("the copy of run r1 is used again"))))
                      SWITCHOVER(ROW("Window", "Skipped", MESSAGE("not needed")) "," DONE("Proxies/shop-stg"))),
     .want = "staging/shop  SwitchingOver  96%  run r3  5m05s  attempt 2  back to run r1\n"
             "|-- main        Ready      [========================] 100%          the copy of run r1 is used again\n"
             "`-- switchover  Done       2 of 2\n"
             "    |-- - Window                    not needed\n"
             "    `-- + Proxies/shop-stg   1m00s\n"
             USED_NOTHING
             "next      " TO_CANCEL},
    {.name = "cancelled",
     .status = STATUS("Copying", "40%", ACTIVE_RUN, DATABASES(DATABASE("main", "0", ROW("Backup", "Failed", MESSAGE("cancelled on request") ",\"evidence\":{\"reason\":\"Cancelled\"}")))),
     .want = "staging/shop  Copying  40%  run r2  5m05s\n"
             "`-- main        Backup     [                        ]   0%\n"
             "    `-- x Backup          cancelled on request\n"
             USED_NOTHING
             "next      it is cancelled, and ends when what is under way has ended\n"},
    {.name = "going away", .metadata = ",\"deletionTimestamp\":\"2026-11-22T16:00:00Z\"",
     .want = "staging/shop  Starting\n"
             "run       there has been none yet\n"
             USED_NOTHING},
    {.name = "what AWS says cannot move the cursor",
     .status = STATUS("Stalled", "", ENDED_RUN, CONDITIONS(CONDITION("Stalled", "True", "X", "a\\u001b[2Jb\\nc"))),
     .want = "staging/shop  Stalled    run r2  1m00s\n"
             USED_NOTHING
             "stalled   a [2Jb c\n"
             "next      it begins by itself once this is put right\n"
             "          " TO_RUN},
};
/* clang-format on */

static void draws(void **state)
{
    const struct row *row = *state;
    AUTO_JSON struct json *object = object_of(row->status, row->metadata);
    AUTO_REFRESH_STATUS struct refresh_status *status = status_of(object);
    AUTO_BUF struct buf out = BUF_MAX(64 * KIB);
    size_t lines = tree_render(&(struct tree_view){.object = object,
                                                   .status = status,
                                                   .now_ms = NOW_MS,
                                                   .width = row->width,
                                                   .color = row->color,
                                                   .utf8 = row->utf8},
                               &out);
    size_t newlines = 0;

    for (size_t i = 0; i < out.len; i++)
        newlines += out.data[i] == '\n';
    assert_text_equal(buf_text(&out), row->want);
    assert_number((int64_t)lines, (int64_t)newlines);
}

static void tells_programs(void **state)
{
    AUTO_JSON struct json *object = object_of(STATUS("Succeeded", "100%", ENDED_RUN, ALL_DONE KEPT), NULL);
    AUTO_REFRESH_STATUS struct refresh_status *status = status_of(object);
    AUTO_JSON struct json *got =
        tree_to_json(&(struct tree_view){.object = object, .status = status, .now_ms = NOW_MS});
    AUTO_FREE char *kept = json_to_text(json_member(got, "kept"));

    (void)state;
    assert_text_equal(json_get_text(got, "name", ""), "shop");
    assert_text_equal(json_get_text(got, "run", ""), "r2");
    assert_text_equal(
        kept, "[{\"run\":\"r2\",\"copies\":2,\"inUse\":true},{\"run\":\"r1\",\"copies\":2,\"inUse\":false}]");
    assert_text_equal(json_get_text(json_item(json_member(got, "next"), 0), "command", ""),
                      "kubectl stagingrefresh switch-to shop previous -n staging");
    assert_true(json_equal(json_member(got, "status"), json_member(object, "status")));
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, draws, rows);
    TEST(&tests, tells_programs);
    return tests_run(&tests, "tree");
}
