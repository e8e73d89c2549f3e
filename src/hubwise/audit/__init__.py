"""An independent re-check of a plan folder: what holds, what does not, and what was not checked."""

from hubwise.audit.auditor import audit_record
from hubwise.audit.months import audit_days
from hubwise.audit.report import AuditReport, Check, Status

__all__ = ["AuditReport", "Check", "Status", "audit_days", "audit_record"]
