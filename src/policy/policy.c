#include "policy/policy.h"

#include "base/text.h"
#include "policy/builtin.h"
#include "policy/ini.h"
#include "policy/predicate.h"
#include "policy/rule.h"

/* [policy]: what the policy is called. */
static bool read_header(const struct document *document, struct section *section, struct policy *policy,
                        struct error *error)
{
	for (size_t i = 0; i < section->settings.count; i++) {
		const struct setting *setting = &section->settings.items[i];
		if (str_equal(setting->key, "Name"))
			policy->name = setting->value;
		else if (str_equal(setting->key, "Revision"))
			policy->revision = setting->value;
		else
			return document_error(
				document, setting->line, error,
				"there is no key \"%.80s\" in [policy]; write Name= or Revision=",
				setting->key);
	}
	return true;
}

static bool read_sections(struct document *document, struct policy *policy, struct error *error)
{
	for (size_t i = 0; i < document->sections.count; i++) {
		struct section *section = &document->sections.items[i];
		if (str_equal(section->name, "policy")) {
			if (!read_header(document, section, policy, error))
				return false;
			continue;
		}
		bool feature = str_starts(section->name, "feature.");
		struct rule *rule = feature ? LIST_ADD(&policy->arena, &policy->features)
		                            : LIST_ADD(&policy->arena, &policy->rules);
		if (!rule_build(document, section, !feature, &policy->arena, rule, error))
			return false;
	}
	if (policy->rules.count == 0)
		return error_set(error, ERROR_USAGE,
		                 "%s: the policy has no rule; add a section such as [kernel.kvm-guest]",
		                 document->name);
	return true;
}

bool policy_parse(struct span text, const char *name, struct policy *out, struct error *error)
{
	struct policy policy = { 0 };
	policy.name = arena_strdup(&policy.arena, name);
	policy.revision = "";
	struct document document;
	if (!document_read(text, policy.name, &policy.arena, &document, error) ||
	    !read_sections(&document, &policy, error)) {
		arena_free(&policy.arena);
		return false;
	}
	*out = policy;
	return true;
}

bool policy_builtin(struct policy *out, struct error *error)
{
	return policy_parse(span_of(builtin_policy, builtin_policy_size), "gce.conf", out, error);
}

void policy_free(struct policy *policy)
{
	arena_free(&policy->arena);
	*policy = (struct policy){ 0 };
}

const struct rule *policy_rule(const struct policy *policy, const char *id)
{
	for (size_t i = 0; i < policy->rules.count; i++)
		if (str_equal(policy->rules.items[i].id, id))
			return &policy->rules.items[i];
	return NULL;
}
