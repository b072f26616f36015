/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/suite.h"

#include "config_test.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A new directory, which is the working directory then. */
static void enter_scratch(void)
{
    char directory[] = "/tmp/wirerx-config-XXXXXX";

    CHECK(mkdtemp(directory) != NULL);
    CHECK_EQ_I64(chdir(directory), 0);
}

static void leave_scratch(void)
{
    char directory[PATH_MAX];

    CHECK(getcwd(directory, sizeof(directory)) != NULL);
    CHECK_EQ_I64(chdir("/"), 0);
    CHECK_MSG(rmdir(directory) == 0, "%s is not empty", directory);
}

SUITE_FIXTURE(load, enter_scratch, leave_scratch);

static void write_file(const char *name, const char *text, size_t length)
{
    FILE *file = fopen(name, "w");

    CHECK(file != NULL);
    CHECK_EQ_I64(fwrite(text, 1, length, file), length);
    CHECK_EQ_I64(fclose(file), 0);
}

static void expect_load_refused(const char *path, const char *expected)
{
    struct config config;
    struct config_error error = {""};

    CHECK_EQ_I64(config_load(path, &config, &error), -1);
    CHECK_EQ_STR(error.text, expected);
}

SUITE_TEST(load, reads_a_file)
{
    char *yaml = test_text("cores: [@]\nports: [{device: vdev:net_null0}]\n");
    struct config_error error = {""};
    struct config config;

    write_file("good.yaml", yaml, strlen(yaml));
    CHECK_MSG(config_load("good.yaml", &config, &error) == 0, "%s", error.text);
    CHECK_EQ_STR(config.ports[0].device, "vdev:net_null0");
    config_free(&config);
    unlink("good.yaml");
    free(yaml);
}

SUITE_TEST(load, names_the_file_as_given_and_the_line)
{
    write_file("bad.yaml", "cores: [0]\nports: 1\n", 20);
    expect_load_refused("./bad.yaml", "./bad.yaml:2: ports: a list is expected, such as [a, b]");
    unlink("bad.yaml");
}

SUITE_TEST(load, refuses_a_file_that_is_not_there)
{
    expect_load_refused("none.yaml", "none.yaml: cannot be opened: No such file or directory");
}

SUITE_TEST(load, refuses_a_directory)
{
    expect_load_refused(".", ".: cannot be read: it is a directory");
}

SUITE_TEST(load, refuses_a_fifo_without_waiting_for_its_writer)
{
    CHECK_EQ_I64(mkfifo("fifo", 0600), 0);
    expect_load_refused("fifo", "fifo: cannot be read: it is no regular file");
    unlink("fifo");
}

SUITE_TEST(load, refuses_an_unreadable_file)
{
    if (geteuid() == 0)
        SKIP("root may read everything");
    write_file("secret.yaml", "", 0);
    CHECK_EQ_I64(chmod("secret.yaml", 0), 0);
    expect_load_refused("secret.yaml", "secret.yaml: cannot be opened: Permission denied");
    unlink("secret.yaml");
}

SUITE_TEST(load, refuses_an_empty_file)
{
    write_file("empty.yaml", "", 0);
    expect_load_refused("empty.yaml", "empty.yaml: empty: it needs at least cores and ports");
    unlink("empty.yaml");
}

/* Comments alone, so that only the size is at fault. */
static void write_comments(const char *name, size_t length)
{
    char *text = malloc(length);

    memset(text, '#', length);
    write_file(name, text, length);
    free(text);
}

SUITE_TEST(load, refuses_a_file_above_a_mebibyte_and_reads_one_of_exactly_that)
{
    write_comments("large.yaml", (1 << 20) + 1);
    expect_load_refused("large.yaml",
                        "large.yaml: larger than 1048576 bytes: this is no configuration");
    write_comments("large.yaml", 1 << 20);
    expect_load_refused("large.yaml", "large.yaml: empty: it needs at least cores and ports");
    unlink("large.yaml");
}

SUITE_TEST(load, keeps_the_reason_when_the_name_is_long)
{
    char path[2048];
    struct config config;
    struct config_error error;

    memset(path, 'd', sizeof(path));
    memcpy(path + sizeof(path) - 6, ".yaml", 6);
    CHECK_EQ_I64(config_load(path, &config, &error), -1);
    CHECK_MSG(strncmp(error.text, "...ddd", 6) == 0, "%s", error.text);
    CHECK_MSG(strstr(error.text, "d.yaml: cannot be opened: ") != NULL, "%s", error.text);
}

SUITE_TEST(load, does_without_an_error_structure)
{
    struct config config;

    CHECK_EQ_I64(config_load("none.yaml", &config, NULL), -1);
    CHECK_EQ_I64(config_parse("t.yaml", "cores: 1\n", 9, &config, NULL), -1);
}
