// The metadata server of the guest's network.
#include <string.h>

#include "network_bench.h"

#include "machine/metadata.h"
#include "machine/platform.h"

static struct metadata_reply asked;

/* Asks the metadata server; its response as a string. */
static const char *ask_http(const char *request)
{
	metadata_reply_free(&asked);
	metadata_answer(span_text(request), &asked);
	return text_get(&asked.response);
}

#define FLAVOR "Metadata-Flavor: Google\r\n"

static void assert_response(const char *request, const char *status, const char *body)
{
	const char *response = ask_http(request);
	if (asked.outcome == METADATA_MORE || !str_starts(response + strlen("HTTP/1.1 "), status))
		fail_msg("%s\n-> %s", request, response);
	assert_non_null(strstr(response, "\r\n" FLAVOR));
	assert_non_null(strstr(response, "\r\nServer: Metadata Server for VM\r\n"));
	if (body)
		assert_string_equal(strstr(response, "\r\n\r\n") + 4, body);
}

static void metadata_has_values_and_directories(void **state)
{
	(void)state;
	assert_response("GET / HTTP/1.1\r\n\r\n", "200", "0.1/\ncomputeMetadata/\n");
	assert_response("GET /computeMetadata/v1/ HTTP/1.1\r\n" FLAVOR "\r\n", "200",
	                "instance/\noslogin/\nproject/\n");
	assert_response(
		"GET /computeMetadata/v1/instance/hostname HTTP/1.1\r\nmetadata-flavor:google\r\n\r\n", "200",
		PLATFORM_HOST);
	assert_response("GET /computeMetadata/v1/instance/disks/0/ HTTP/1.1\r\n" FLAVOR "\r\n", "200",
	                "device-name\nindex\ninterface\nmode\ntype\n");
	assert_response("GET /computeMetadata/v1/instance/attributes/ HTTP/1.1\r\n" FLAVOR "\r\n", "200", "");
	assert_response("GET http://metadata/computeMetadata/v1//project//project-id HTTP/1.0\r\n" FLAVOR
	                "\r\n",
	                "200", PLATFORM_PROJECT);
	assert_true(asked.close);
	assert_response("GET /computeMetadata/v1/project/?recursive=true HTTP/1.1\r\n" FLAVOR "\r\n", "200",
	                "{\"attributes\":{},\"numericProjectId\":123456789012,\"projectId\":"
	                "\"slipway-project\"}");
	assert_response("GET /computeMetadata/v1/project/?recursive=true&alt=text HTTP/1.1\r\n" FLAVOR "\r\n",
	                "200", "numeric-project-id 123456789012\nproject-id slipway-project\n");
	assert_response("GET /computeMetadata/v1/instance/disks/?recursive=true HTTP/1.1\r\n" FLAVOR "\r\n",
	                "200",
	                "[{\"deviceName\":\"persistent-disk-0\",\"index\":0,\"interface\":\"SCSI\","
	                "\"mode\":\"READ_WRITE\",\"type\":\"PERSISTENT-BALANCED\"}]");
	assert_response("HEAD /computeMetadata/v1/instance/id HTTP/1.1\r\n" FLAVOR "\r\n", "200", "");
	assert_string_equal(text_get(&asked.path), "/computeMetadata/v1/instance/id");
	assert_false(asked.close);
}

static void metadata_refuses_as_the_platform_does(void **state)
{
	(void)state;
	assert_response("GET /computeMetadata/v1/ HTTP/1.1\r\nHost: x\r\n\r\n", "403", NULL);
	assert_response("GET /computeMetadata/v1/ HTTP/1.1\r\n" FLAVOR "X-Forwarded-For: 1.2.3.4\r\n\r\n",
	                "403", NULL);
	assert_response("GET /computeMetadata/v1/instance/nothing HTTP/1.1\r\n" FLAVOR "\r\n", "404", NULL);
	assert_response("GET /computeMetadata/v1/instance/host HTTP/1.1\r\n" FLAVOR "\r\n", "404", NULL);
	assert_response("GET /computeMetadata/v1/instance/service-accounts/default/token HTTP/1.1\r\n" FLAVOR
	                "\r\n",
	                "404", NULL);
	assert_response("GET /0.1/meta-data HTTP/1.1\r\n" FLAVOR "\r\n", "404", NULL);
	assert_response("GET /computeMetadata/v1/instance?alt=json HTTP/1.1\r\n" FLAVOR "\r\n", "301", NULL);
	assert_non_null(strstr(text_get(&asked.response),
	                       "Location: http://metadata.google.internal/computeMetadata/v1/instance/"
	                       "?alt=json\r\n"));
	assert_response("PUT /computeMetadata/v1/instance/guest-attributes/hostkeys/x HTTP/1.1\r\n" FLAVOR
	                "Content-Length: 3\r\n\r\nabc",
	                "403", NULL);
	assert_response("POST /computeMetadata/v1/instance/ HTTP/1.1\r\n" FLAVOR "\r\n", "405", NULL);
	assert_response("nonsense\r\n\r\n", "400", NULL);
	assert_true(asked.close);
	assert_response("GET /\r\n\r\n", "400", NULL);
}

static void metadata_takes_requests_as_they_come(void **state)
{
	(void)state;
	static const char two[] = "GET / HTTP/1.1\r\n\r\nGET /computeMetadata/ HTTP/1.1\r\n\r\n";
	ask_http(two);
	assert_int_equal(asked.consumed, strlen("GET / HTTP/1.1\r\n\r\n"));
	for (size_t size = 0; size < asked.consumed; size++) {
		struct metadata_reply part;
		metadata_answer(span_of(two, size), &part);
		assert_int_equal(part.outcome, METADATA_MORE);
		metadata_reply_free(&part);
	}
	ask_http("PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab");
	assert_int_equal(asked.outcome, METADATA_MORE);
	while (bytes.size <= METADATA_REQUEST_MOST)
		text_add(&bytes, "GET / HTTP/1.1 ");
	assert_response(text_get(&bytes), "400", NULL);
	assert_true(asked.close);
}

static void metadata_holds_what_waits_for_a_change(void **state)
{
	(void)state;
#define WAIT "GET /computeMetadata/v1/?recursive=true&alt=json&wait_for_change=true&timeout_sec=60&last_etag="
	const char *first = ask_http(WAIT "NONE HTTP/1.1\r\n" FLAVOR "\r\n");
	assert_int_equal(asked.outcome, METADATA_ANSWER);
	const char *tag = strstr(first, "\r\nETag: ");
	assert_non_null(tag);
	text_printf(&bytes, WAIT "%.16s HTTP/1.1\r\n" FLAVOR "\r\n", tag + strlen("\r\nETag: "));
	ask_http(text_get(&bytes));
	assert_int_equal(asked.outcome, METADATA_WAIT);
	assert_int_equal((int)asked.wait_seconds, 60);
	assert_non_null(strstr(text_get(&asked.response), "\r\nContent-Type: application/json\r\n"));
	ask_http("GET /computeMetadata/v1/instance/tags?wait_for_change=true HTTP/1.1\r\n" FLAVOR "\r\n");
	assert_int_equal(asked.outcome, METADATA_WAIT);
	assert_int_equal((int)asked.wait_seconds, 86400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(metadata_has_values_and_directories, tear_down),
		cmocka_unit_test_teardown(metadata_refuses_as_the_platform_does, tear_down),
		cmocka_unit_test_teardown(metadata_takes_requests_as_they_come, tear_down),
		cmocka_unit_test_teardown(metadata_holds_what_waits_for_a_change, tear_down),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	metadata_reply_free(&asked);
	return failed;
}
