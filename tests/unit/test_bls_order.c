// The order of Boot Loader Specification entries, which is that of their versions.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "boot/bls.h"

/* The first of each pair is the newer one; checked both ways. */
static void newer(int compare(const char *, const char *), const char *a, const char *b)
{
	if (compare(a, b) != 1 || compare(b, a) != -1 || compare(a, a) != 0)
		fail_msg("%s is not newer than %s", a ? a : "nothing", b ? b : "nothing");
}

static void order_of_rpm(void **state)
{
	(void)state;
	newer(bls_compare_ids, "machine-5.14.0-503.el9.x86_64", "machine-5.14.0-427.13.1.el9.x86_64");
	newer(bls_compare_ids, "machine-6.11.4-301.fc41.x86_64", "machine-6.9.12-200.fc41.x86_64");
	newer(bls_compare_ids, "machine-6.11.4-301.fc41.x86_64", "machine-0-rescue");
	newer(bls_compare_ids, "machine-4.18.0-553.el8.x86_64", "machine-4.18.0-553.el8.x86_64~rc1");
	newer(bls_compare_ids, "b-1-1", "a-2-2");
	newer(bls_compare_ids, "a-1-1", "a-b-1");
	newer(bls_compare_ids, "a-1.0-1", "a-1-1");
	newer(bls_compare_ids, "a-1-010", "a-1-9");
	newer(bls_compare_ids, "a-1-1+3", "a-1-1");
	assert_int_equal(bls_compare_ids("a-1.2-3", "a-1_2-3"), 0);
	assert_int_equal(bls_compare_ids("", ""), 0);
}

/* The table in the documentation of systemd's strverscmp_improved(), newest first. */
static void order_of_systemd(void **state)
{
	(void)state;
	static const char *const versions[] = { "124-1",     "123a-1",  "123.1-1",   "123.a-1",
		                                "123^post1", "123-1.1", "123-1",     "123-a.1",
		                                "123-a",     "123",     "123~rc1-1", "122.1" };
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		for (size_t j = i + 1; j < ARRAY_SIZE(versions); j++)
			newer(bls_compare_versions, versions[i], versions[j]);
	newer(bls_compare_versions, "6.10.1-amd64", "6.9.12-amd64");
	newer(bls_compare_versions, "1", NULL);
	assert_int_equal(bls_compare_versions("123_a", "123a"), 0);
	assert_int_equal(bls_compare_versions("0012", "12"), 0);
	assert_int_equal(bls_compare_versions(NULL, ""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_of_rpm),
		cmocka_unit_test(order_of_systemd),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
