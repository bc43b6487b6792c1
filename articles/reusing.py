"""A copy of an article that has its summary needs none of its own: that one is taken over, and nothing is paid."""

from __future__ import annotations

from articles import asking
from articles.asking import Answer
from articles.factcheck.findings import bars_approval
from articles.models import Article
from usage import llm


def summary_of_main(article: Article) -> Answer | None:
    """The summary of the article that this one is a copy of, as far as this one supports every word of it.

    None where there is no such summary, where the copy says something else, and where somebody wants a new version.
    """
    main = article.duplicate_of
    if main is None or not main.summary_text or article.wanted_provider or article.summaries.written().exists():
        return None
    findings = [finding.as_json() for finding in asking.check(article, main.summary_text).findings]
    if bars_approval(findings):
        return None
    written = main.summaries.written().order_by("-version").first()
    by, model, prompt = (written.provider, written.model, written.prompt_version) if written else ("", "", "")
    completion = llm.Completion(main.summary_text, by, model, usage_event_id=None, tokens_in=0, tokens_out=0)
    return Answer(main.summary_text, prompt, completion, findings)
