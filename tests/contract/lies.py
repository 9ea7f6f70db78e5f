"""What moto says that AWS does not: each test of the contract that cannot run on it, by its name, with the lie.

Such a test must fail there: one that passes since moto was mended fails the suite until its line here is gone.
"""

LIES = {
    # time
    "test_a_look_sees_a_steady_service_and_its_targets": "tasks never start, and no targets are registered",
    "test_a_survey_finds_a_steady_service_with_its_tasks_and_targets": "a deployment stays IN_PROGRESS for ever",
    "test_green_is_made_like_blue_in_its_own_groups": "tasks never start, and no targets are registered",
    "test_why_tasks_stopped_is_seen": "a service has no tasks, so none of them stops",
    # services
    "test_a_group_in_no_rule_is_missing_for_a_service": "a service takes a target group without a load balancer",
    "test_a_name_that_is_taken_is_rejected_in_the_words_of_aws": "a service's name can be taken twice: the second "
    "replaces the first in silence",
    "test_creating_green_again_with_the_same_token_changes_nothing": "the client token is ignored, and it is another "
    "service",
    "test_the_images_of_a_service_come_with_the_digests_that_ecs_resolved": "there are no service revisions",
    "test_what_was_registered_says_what_the_survey_said_and_is_found_by_its_tags": "revisions of a family are listed "
    "oldest first and all of them, whatever order and number are asked for",
    # load balancing
    "test_a_group_belongs_to_the_load_balancer_whose_rule_has_it": "a rule that takes a target group does not give it "
    "its load balancer",
    "test_a_group_is_made_once_however_often_it_is_asked_for": "a target group that is asked for again with the same "
    "settings is a duplicate",
    "test_only_attributes_that_differ_from_those_of_a_new_group_are_copied": "a target group has an attribute of load "
    "balancers, waf.fail_open.enabled",
}
